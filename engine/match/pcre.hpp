#pragma once

#include "engine/match/pattern.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace picket::engine {

/// What PCRE2 needs to match; one per match_scratch.
class pcre_scratch {
public:
  pcre_scratch();
  ~pcre_scratch();
  pcre_scratch(const pcre_scratch&) = delete;
  pcre_scratch& operator=(const pcre_scratch&) = delete;

private:
  friend class pcre;
  pcre2_real_match_context_8* context_;
  pcre2_real_match_data_8* data_ = nullptr;
  std::size_t pairs_ = 0;
};

/// PCRE2, 8 bit, without options (decoders.md 2.4).
class pcre {
public:
  static tl::expected<pcre, std::string> compile(std::string_view text);

  /// Fills `captures` on success. Any error of the library counts as no match; `gave_up` if it was a limit.
  match_result search(std::string_view input, std::vector<std::string_view>& captures, pcre_scratch& scratch,
                      std::uint32_t match_limit, bool& gave_up) const;

  std::size_t groups() const noexcept { return groups_; }

private:
  struct free_code {
    void operator()(pcre2_real_code_8* code) const noexcept;
  };
  std::unique_ptr<pcre2_real_code_8, free_code> code_;
  std::size_t groups_ = 0;
};

} // namespace picket::engine
