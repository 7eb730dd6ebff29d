#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "net/address.hpp"

/// The header by which a balancer tells whom it speaks for (HAProxy's "The PROXY protocol", versions 1 and
/// 2). It stands in front of everything else on a connection, TLS included.

namespace picket::net {

/// What a complete header says.
struct proxy_header {
  /// It names a client; otherwise (v1 UNKNOWN, v2 LOCAL, UNSPEC or a Unix socket) the connection is the
  /// balancer's own, a health check for instance, or the client has no address.
  bool names_client = false;
  endpoint client;      ///< where the client connects from
  endpoint destination; ///< what it connected to at the balancer
};

enum class proxy_status : std::uint8_t { complete, incomplete, bad };

/// Why bytes are no header.
enum class proxy_fault : std::uint8_t {
  none,
  signature, ///< they begin with neither version's mark
  line,      ///< v1: too long, a wrong line end, or not of the form that the text has
  address,   ///< v1: an address or port is not written as it must be, or of the other family
  version,   ///< v2: not version 2, or a command that does not exist
  family,    ///< v2: an address family or transport that does not exist, or datagrams
  length,    ///< v2: shorter than its addresses, or longer than `max_proxy_header_bytes`
  extension, ///< v2: a TLV passes the header's end, or a CRC32c stands there twice or with a wrong size
  checksum   ///< v2: its CRC32c is not that of the header
};
std::string_view name_of(proxy_fault fault) noexcept;

struct proxy_parse {
  proxy_status status = proxy_status::incomplete;
  proxy_fault fault = proxy_fault::none; ///< of a bad one
  std::size_t consumed = 0;              ///< bytes of a complete header; what follows is not its
  proxy_header header;
};

/// A v1 line with its CR LF (section 2.1).
inline constexpr std::size_t max_proxy_line_bytes = 107;
/// A v2 header with everything in it. The format allows 65,551 bytes; addresses take at most 232, and what
/// balancers add (names, certificates' subjects, ids) some hundreds more.
inline constexpr std::size_t max_proxy_header_bytes = 2'048;

/// Reads the header at the front of what has come so far; call it again with more while it is incomplete:
/// then all bytes given belong to the header. Bytes that cannot become one are bad at once, and an answer
/// other than `incomplete` holds whatever comes behind. Linear in the header's size.
proxy_parse parse_proxy_header(byte_view bytes) noexcept;

} // namespace picket::net
