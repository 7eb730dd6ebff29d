// A stored cursor is bytes from a disk: whatever they are, what is taken from them names a file inside the
// journal and is written out again as the same text.

#include "store/journal/journal_names.hpp"

#include <cstdlib>

using namespace picket::store;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  auto position = parse_journal_position(text);
  if (!position.file.empty()) {
    if (to_text(position) != text) std::abort();
    auto path = std::filesystem::path{"/journal"} / position.file;
    auto normal = path.lexically_normal().generic_string();
    if (normal.rfind("/journal/", 0) != 0) std::abort();
  } else if (position.offset != 0) {
    std::abort();
  }
  journal_output output;
  output.stem = "ossec-alerts";
  output.extension = "json";
  if (auto part = parse_part_name(output, text))
    if (part_name(output, *part) != text) std::abort();
  return 0;
}
