#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/match/pcre.hpp"

#include <pcre2.h>

#include <algorithm>

namespace picket::engine {

pcre_scratch::pcre_scratch()
    : context_(pcre2_match_context_create(nullptr)) {}

pcre_scratch::~pcre_scratch() {
  pcre2_match_data_free(data_);
  pcre2_match_context_free(context_);
}

void pcre::free_code::operator()(pcre2_real_code_8* code) const noexcept { pcre2_code_free(code); }

tl::expected<pcre, std::string> pcre::compile(std::string_view text) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  // The library refuses a null pointer even for no bytes.
  auto bytes = reinterpret_cast<PCRE2_SPTR>(text.data() ? text.data() : "");
  pcre made;
  made.code_.reset(pcre2_compile(bytes, text.size(), 0, &error, &offset, nullptr));
  if (!made.code_) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(error, message, sizeof message);
    return tl::unexpected(std::string(reinterpret_cast<const char*>(message)) + " at byte "
                          + std::to_string(offset + 1));
  }
  std::uint32_t groups = 0;
  pcre2_pattern_info(made.code_.get(), PCRE2_INFO_CAPTURECOUNT, &groups);
  made.groups_ = groups;
  return made;
}

match_result pcre::search(std::string_view input, std::vector<std::string_view>& captures,
                          pcre_scratch& scratch, std::uint32_t match_limit, bool& gave_up) const {
  if (scratch.pairs_ < groups_ + 1) {
    pcre2_match_data_free(scratch.data_);
    scratch.pairs_ = std::max<std::size_t>(groups_ + 1, 32);
    scratch.data_ = pcre2_match_data_create(static_cast<std::uint32_t>(scratch.pairs_), nullptr);
  }
  if (!scratch.context_ || !scratch.data_) return {};
  pcre2_set_match_limit(scratch.context_, match_limit);
  auto subject = reinterpret_cast<PCRE2_SPTR>(input.data() ? input.data() : "");
  int found = pcre2_match(code_.get(), subject, input.size(), 0, 0, scratch.data_, scratch.context_);
  if (found < 0) {
    gave_up =
        found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT || found == PCRE2_ERROR_HEAPLIMIT;
    return {};
  }
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(scratch.data_);
  // `found` is one more than the highest group that took part; groups below it may be unset: an empty
  // capture.
  for (int k = 1; k < found; ++k) {
    PCRE2_SIZE from = offsets[2 * k];
    PCRE2_SIZE to = offsets[2 * k + 1];
    bool set = from != PCRE2_UNSET && to != PCRE2_UNSET && from <= to;
    captures.push_back(set ? input.substr(from, to - from) : input.substr(0, 0));
  }
  return {true, static_cast<std::int64_t>(offsets[1]) - 1};
}

} // namespace picket::engine
