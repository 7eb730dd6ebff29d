#include "store/deadletter/dead_letter.hpp"

#include <cstdlib>

using namespace picket::store;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

} // namespace

/// Any bytes as a file: no crash; what reads, reads the same from what is written of it. And any bytes as a
/// line come back from a file as they were.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  if (auto letter = parse_letter(bytes)) {
    auto again = parse_letter(format_letter(*letter));
    must(again.has_value() && again->bytes == letter->bytes && again->head.id == letter->head.id);
  }
  dead_letter made;
  made.head.id = letter_id({1, 2, 3}, 4);
  made.head.agent_name = bytes;
  made.head.reason = bytes;
  made.location = bytes;
  made.text = bytes;
  made.bytes = bytes;
  auto file = format_letter(made);
  must(replace_no_utf8(file) == file);
  auto head = parse_letter_head(std::string_view{file}.substr(0, letter_head_bytes));
  must(head.has_value() && head->text_bytes == size && head->digest == digest_of(bytes));
  auto read = parse_letter(file);
  must(read.has_value() && read->bytes == bytes && read->text == replace_no_utf8(bytes));
  must(read->location == replace_no_utf8(bytes));
  return 0;
}
