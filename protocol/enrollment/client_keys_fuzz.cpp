#include "protocol/enrollment/keys.hpp"

#include <cstdlib>

using namespace picket::protocol;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

} // namespace

/// Any bytes as client.keys: no crash; entries written out again are read as the same entries without a
/// fault.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view content{reinterpret_cast<const char*>(data), size};
  auto password = parse_password_file(content);
  must(!password || password->size() >= 2);
  auto file = parse_key_file(content);
  std::string again;
  for (const auto& entry : file.entries)
    again += format_key_line(entry.id, entry.name, entry.address, entry.key, entry.removed) + "\n";
  auto reread = parse_key_file(again);
  must(reread.faults.empty() && reread.entries.size() == file.entries.size());
  for (std::size_t i = 0; i < file.entries.size(); ++i) {
    const auto& a = file.entries[i];
    const auto& b = reread.entries[i];
    must(a.id == b.id && a.name == b.name && a.address == b.address && a.key == b.key
         && a.removed == b.removed);
  }
  return 0;
}
