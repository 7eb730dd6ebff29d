// The bytes of a stored batch: whatever they are, reading survives, and every view lies within them.

#include <cstdlib>

#include "store/overflow/overflow_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  std::uint32_t count = data[0] | static_cast<std::uint32_t>(data[1]) << 8U;
  picket::byte_view body{reinterpret_cast<const std::byte*>(data) + 2, size - 2};
  std::vector<picket::store::pool_record> records;
  if (!picket::store::parse_stored_records(body, count, records)) return 0;
  if (records.size() != count) std::abort();
  const auto* at = body.data();
  for (const auto& record : records) {
    if (record.bytes.data() < at || record.bytes.data() + record.bytes.size() > body.data() + body.size())
      std::abort();
    at = record.bytes.data() + record.bytes.size();
  }
  return 0;
}
