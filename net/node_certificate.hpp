#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

// Certificates of a cluster: its own CA, which signs nothing but its nodes. Subject of a node: O = id of the
// cluster, CN = "node-" and its id. Certificates and keys are PEM texts here; where they lie is the caller's.

namespace picket::net {

inline constexpr int node_certificate_days = 90; ///< renewed when half of them are over
inline constexpr int cluster_ca_days = 20 * 365;
inline constexpr std::size_t max_certificate_addresses = 32;

struct certificate_and_key {
  std::string certificate; ///< PEM
  std::string key;         ///< PEM; secret
};

/// A new CA, P-256. `from_s`: wall clock, seconds since 1970; valid from an hour before it. Errors:
/// invalid_argument (a cluster id that is not 1 to 64 of A-Z a-z 0-9 . _ -), certificate_invalid.
result<certificate_and_key> make_cluster_ca(const std::string& cluster, std::int64_t from_s,
                                            int days = cluster_ca_days);

struct signing_request {
  std::string request; ///< PEM (PKCS#10); says nothing but the public key
  std::string key;     ///< PEM; secret, never leaves the node
};

/// A new P-256 key and the request to sign it. Errors: certificate_invalid.
result<signing_request> make_signing_request();

/// What the signer puts into a certificate. Nothing of it comes from the request.
struct certificate_terms {
  std::string cluster;
  std::uint32_t node = 0;
  std::vector<std::string> addresses; ///< IP addresses and host names, at most 32; may be empty
  std::int64_t from_s = 0;            ///< wall clock; valid from an hour before it
  int days = node_certificate_days;
};

/// The certificate for the key of a request, for server and client use. Errors: invalid_argument (terms),
/// certificate_invalid (CA, request, or a request that is not signed with its own key; a key other than an
/// elliptic one of at least 256 bit or RSA of at least 2048).
result<std::string> sign_request(const certificate_and_key& ca, const std::string& request,
                                 const certificate_terms& terms);

/// What a node's certificate says.
struct certificate_facts {
  std::string cluster;
  std::uint32_t node = 0;
  std::string fingerprint; ///< SHA-256 of the DER form, 64 hex digits
  std::int64_t from_s = 0;
  std::int64_t until_s = 0;
  std::vector<std::string> addresses;

  friend bool operator==(const certificate_facts&, const certificate_facts&) = default;
};

/// Half of its days are over.
bool wants_renewal(const certificate_facts& facts, std::int64_t now_s) noexcept;

/// SHA-256 of the first certificate of a PEM text, 64 hex digits. Errors: certificate_invalid.
result<std::string> fingerprint_of(const std::string& certificate);

/// Reads a node's certificate and checks all that can be checked without the members: signed by this CA, with
/// the right uses, valid at `now_s`, of this cluster. `certificate`: PEM, or DER as it comes from a
/// connection. Errors: peer_untrusted, with the reason; certificate_invalid if the CA itself does not read.
result<certificate_facts> check_certificate(const std::string& certificate, const std::string& ca,
                                            const std::string& cluster, std::int64_t now_s);

/// What the members' table has of one node.
struct member_identity {
  std::uint32_t node = 0;
  std::vector<std::string> fingerprints; ///< at most two: the present certificate and its successor
  bool removed = false;
};

/// Whether the certificate is that member's. Errors: not_a_member (removed), peer_untrusted (another node's,
/// or none of its fingerprints).
result<void> check_member(const certificate_facts& facts, const member_identity& member);

/// Writes a PEM text by rename; a key (`secret`) with mode 0600. Errors: io.
result<void> write_pem_file(const std::string& path, const std::string& text, bool secret);

} // namespace picket::net
