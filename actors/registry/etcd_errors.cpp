#include "actors/registry/etcd_errors.hpp"

#include "protocol/etcd/gateway.hpp"

namespace picket::registry {

namespace {

/// Codes of gRPC that the gateway passes on.
enum grpc_code : std::uint32_t {
  invalid_argument = 3,
  permission_denied = 7,
  resource_exhausted = 8,
  out_of_range = 11,
  unimplemented = 12,
  unauthenticated = 16
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

commit_status commit_status_of(reply_kind kind, int http_status, std::string_view body) noexcept {
  if (kind == reply_kind::not_sent) return commit_status::unavailable;
  if (kind == reply_kind::lost) return commit_status::unknown;
  auto said = protocol::etcd::decode_failure(body);
  switch (said.code) {
  case invalid_argument:
    return commit_status::too_large;
  case resource_exhausted:
    if (has(said.message, "space exceeded")) return commit_status::no_space;
    if (has(said.message, "larger than max")) return commit_status::too_large;
    if (has(said.message, "too many requests")) return commit_status::unavailable;
    return commit_status::unknown;
  case permission_denied:
  case unimplemented:
  case unauthenticated:
    return commit_status::unavailable;
  default:
    break;
  }
  if (said.code != 0) return commit_status::unknown;
  // Not from etcd's own code: the gateway is off, or something else answers on this port.
  if (http_status == 404 || http_status == 405) return commit_status::unavailable;
  if (http_status == 413) return commit_status::too_large;
  return commit_status::unknown;
}

read_status read_status_of(reply_kind kind, int, std::string_view body) noexcept {
  if (kind != reply_kind::answered) return read_status::unavailable;
  return protocol::etcd::decode_failure(body).code == out_of_range ? read_status::compacted
                                                                   : read_status::unavailable;
}

} // namespace picket::registry
