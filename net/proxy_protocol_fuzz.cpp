#include "net/proxy_protocol.hpp"

#include <algorithm>
#include <cstdlib>

using namespace picket;
using namespace picket::net;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

bool same(const proxy_parse& a, const proxy_parse& b) {
  return a.status == b.status && a.fault == b.fault && a.consumed == b.consumed
         && a.header.names_client == b.header.names_client && a.header.client == b.header.client
         && a.header.destination == b.header.destination;
}

} // namespace

/// However TCP splits the bytes, the same header comes out at the same place, and nothing waits for more than
/// a header may have.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  byte_view all{reinterpret_cast<const std::byte*>(data), size};
  auto whole = parse_proxy_header(all);
  must((whole.status == proxy_status::bad) == (whole.fault != proxy_fault::none));
  must((whole.status == proxy_status::complete) == (whole.consumed > 0));
  must(whole.consumed <= size && whole.consumed <= max_proxy_header_bytes);
  if (whole.status == proxy_status::incomplete) must(size < max_proxy_header_bytes);
  auto most = std::min(size, max_proxy_header_bytes + 1);
  for (std::size_t first = 0; first < most; ++first) {
    auto early = parse_proxy_header(all.first(first));
    if (early.status == proxy_status::incomplete) continue;
    must(same(early, whole));
    break;
  }
  if (whole.status == proxy_status::complete) {
    must(same(parse_proxy_header(all.first(whole.consumed)), whole));
    must(parse_proxy_header(all.first(whole.consumed - 1)).status == proxy_status::incomplete);
  }
  return 0;
}
