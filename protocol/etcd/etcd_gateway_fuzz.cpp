#include <cstdlib>

#include "protocol/etcd/base64.hpp"
#include "protocol/etcd/gateway.hpp"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

} // namespace

/// Any bytes in place of an answer: no crash, an error has a text, events are in order, a failure's text is
/// bounded. What reads as base64 is the same written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::protocol;
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  if (auto done = etcd::decode_transaction_answer(bytes); !done) must(!to_string(done.error()).empty());
  if (auto rows = etcd::decode_range_answer(bytes); !rows) must(!to_string(rows.error()).empty());
  if (auto line = etcd::decode_watch_message(bytes)) {
    std::uint64_t last = 0;
    for (const auto& event : line->events) {
      must(event.revision >= last);
      last = event.revision;
    }
  }
  must(etcd::decode_failure(bytes).message.size() <= 256);
  if (auto plain = decode_base64(bytes)) must(decode_base64(encode_base64(*plain)) == plain);
  must(decode_base64(encode_base64(bytes)) == bytes);
  return 0;
}
