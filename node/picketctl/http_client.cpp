#include "node/picketctl/http_client.hpp"

#include <cstdio>
#include <memory>

#include <httplib.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace picket::ctl {

namespace {

std::string place_of(const api_target& target) {
  bool v6 = target.host.find(':') != std::string::npos;
  return "https://" + (v6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
}

using certificate_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

certificate_ptr read_certificate(const std::string& file) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> in{std::fopen(file.c_str(), "re"), std::fclose};
  return {in ? PEM_read_X509(in.get(), nullptr, nullptr, nullptr) : nullptr, X509_free};
}

bool carries(X509* certificate, const std::string& host) {
  return X509_check_host(certificate, host.c_str(), host.size(), 0, nullptr) == 1
         || X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
}

std::string first_dns_name(X509* certificate) {
  std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = name->d.dNSName;
    std::string found{reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text))};
    if (found.find_first_of(std::string{"*\0", 2}) == std::string::npos) return found;
  }
  return {};
}

/// The name to ask for: with a pinned certificate one that it carries, since the address may be another one.
std::string name_for(const api_target& target) {
  if (!target.pinned) return target.host;
  auto certificate = read_certificate(target.ca_file);
  if (!certificate || carries(certificate.get(), target.host)) return target.host;
  auto other = first_dns_name(certificate.get());
  return other.empty() ? target.host : other;
}

error failure(httplib::Error why, const api_target& target) {
  auto where = place_of(target);
  switch (why) {
  case httplib::Error::SSLLoadingCerts:
    return {errc::certificate_invalid, "cannot read the certificates to trust: " + target.ca_file, where,
            "give a PEM file with --ca"};
  case httplib::Error::SSLServerVerification:
    return {errc::certificate_invalid, "the certificate of the node is not the one to trust", where,
            "give the node's certificate or its CA with --ca, and a --url with a name that it carries"};
  case httplib::Error::SSLConnection:
    return {errc::certificate_invalid, "no TLS connection", where,
            "look whether the admin endpoint has this port, and at the certificate to trust"};
  case httplib::Error::ConnectionTimeout:
    return {errc::timeout, "no connection within " + std::to_string(target.timeout_s) + " s", where,
            "check address and firewall, or give a longer --timeout"};
  case httplib::Error::Read:
    return {errc::timeout, "the node took the request and did not answer within the time limit", where,
            "look whether it was done before you repeat it; give a longer --timeout"};
  case httplib::Error::Connection:
    return {errc::not_running, "nobody answers there", where,
            "start the node, or give the right --config or --url"};
  default:
    return {errc::io, "the request failed: " + httplib::to_string(why), where, "try again"};
  }
}

} // namespace

std::string escape_url(const std::string& text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z')
                 || c == '-' || c == '_' || c == '.' || c == '~' || c == ',';
    if (plain)
      out += c;
    else
      out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

std::string request_target(const api_request& request) {
  auto text = request.path;
  char mark = '?';
  for (const auto& [name, value] : request.query) {
    text += mark + name + "=" + escape_url(value);
    mark = '&';
  }
  return text;
}

result<api_answer> send_request(const api_target& target, const api_request& request) {
  auto name = target.insecure ? target.host : name_for(target);
  httplib::SSLClient client{name, target.port};
  if (name != target.host) client.set_hostname_addr_map({{name, target.host}});
  client.enable_server_certificate_verification(!target.insecure);
  if (!target.insecure && !target.ca_file.empty()) {
    client.set_ca_cert_path(target.ca_file);
    // The node's certificate may be signed by a CA that is not in the file: the certificate itself is what is
    // trusted.
    if (target.pinned)
      X509_STORE_set_flags(SSL_CTX_get_cert_store(client.ssl_context()), X509_V_FLAG_PARTIAL_CHAIN);
  }
  client.set_connection_timeout(target.timeout_s);
  int wait_s = request.timeout_s > 0 ? std::max(request.timeout_s, target.timeout_s) : target.timeout_s;
  client.set_read_timeout(wait_s);
  client.set_write_timeout(wait_s);
  httplib::Request out;
  out.method = request.method;
  out.path = request_target(request);
  out.headers.emplace("Authorization", "Bearer " + target.token);
  if (!request.body.empty()) {
    out.body = request.body;
    out.headers.emplace("Content-Type", request.content_type);
  }
  auto got = client.send(out);
  if (!got) return tl::unexpected<error>(failure(got.error(), target));
  return api_answer{got->status, got->get_header_value("Content-Type"), got->body};
}

} // namespace picket::ctl
