#pragma once

#include <stdexcept>
#include <string>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "net/node_certificate.hpp"
#include "net/tls.hpp"

namespace picket::net::testing {

/// A CA in files, and nodes that it has signed.
class cluster_certificates {
public:
  explicit cluster_certificates(const std::string& cluster = "test-cluster")
      : cluster_{cluster}
      , ca_{make_cluster_ca(cluster, now_s()).value()} {
    put(ca_file(), ca_.certificate, false);
  }

  struct node_files {
    node_tls_files files;
    std::string certificate;
    std::string fingerprint;
  };
  /// A new key and certificate for the node, over those that it had.
  node_files issue(std::uint32_t node, std::int64_t from_s = now_s(), int days = node_certificate_days) {
    auto request = make_signing_request().value();
    certificate_terms terms{cluster_, node, {"127.0.0.1"}, from_s, days};
    node_files made;
    made.certificate = sign_request(ca_, request.request, terms).value();
    made.fingerprint = fingerprint_of(made.certificate).value();
    auto stem = (directory_.path() / (std::to_string(node) + "-" + std::to_string(++issued_))).string();
    made.files = {stem + ".pem", stem + ".key", ca_file()};
    put(made.files.certificate_file, made.certificate, false);
    put(made.files.key_file, request.key, true);
    return made;
  }

  const std::string& cluster() const { return cluster_; }
  const certificate_and_key& ca() const { return ca_; }
  std::string ca_file() const { return (directory_.path() / "ca.pem").string(); }
  static std::int64_t now_s() { return wall_clock_ms() / 1000; }

private:
  static void put(const std::string& path, const std::string& text, bool secret) {
    auto written = write_pem_file(path, text, secret);
    if (!written) throw std::runtime_error(to_string(written.error()));
  }

  std::string cluster_;
  certificate_and_key ca_;
  picket::testing::scratch_directory directory_;
  int issued_ = 0;
};

} // namespace picket::net::testing
