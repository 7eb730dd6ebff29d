#include "net/node_certificate.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/bytes.hpp"
#include "net/address.hpp"
#include "net/openssl_handles.hpp"

namespace picket::net {

namespace {

using namespace openssl;

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t backdated_s = 3'600; ///< clocks of nodes differ a little
constexpr std::string_view node_prefix = "node-";

bool only(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
           || more.find(c) != std::string_view::npos;
  });
}

result<void> check_cluster_id(const std::string& cluster) {
  if (!cluster.empty() && cluster.size() <= 64 && only(cluster, "._-")) return {};
  return fail(errc::invalid_argument, "a cluster's id has 1 to 64 of A-Z a-z 0-9 . _ -",
              cluster.substr(0, 64));
}

bool set_times(X509* certificate, std::int64_t from_s, int days) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from_s - backdated_s) != nullptr
         && ASN1_TIME_set(X509_getm_notAfter(certificate), from_s + days * day_s) != nullptr;
}

std::string to_pem(X509* certificate) {
  return pem_text([&](BIO* out) { return PEM_write_bio_X509(out, certificate) == 1; });
}

std::string to_pem(EVP_PKEY* key) {
  return pem_text([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  });
}

handle<X509> read_certificate(const std::string& text) {
  if (text.find("-----BEGIN") != std::string::npos) {
    auto in = reading(text);
    return handle<X509>{in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr};
  }
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  handle<X509> certificate{d2i_X509(nullptr, &at, static_cast<long>(text.size()))};
  return at == end ? std::move(certificate) : nullptr;
}

handle<EVP_PKEY> read_key(const std::string& text) {
  auto in = reading(text);
  // No password: a callback that gives none, so that nobody is asked at a terminal.
  auto none = [](char*, int, int, void*) { return 0; };
  return handle<EVP_PKEY>{in ? PEM_read_bio_PrivateKey(in.get(), nullptr, none, nullptr) : nullptr};
}

std::string digest_of(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return {};
  return to_hex({reinterpret_cast<const std::byte*>(digest), size});
}

bool strong_enough(EVP_PKEY* key) {
  auto kind = EVP_PKEY_get_base_id(key);
  auto bits = EVP_PKEY_get_bits(key);
  return (kind == EVP_PKEY_EC && bits >= 256) || (kind == EVP_PKEY_RSA && bits >= 2048);
}

/// "IP:10.0.0.1,DNS:n1.example.org". Whatever stands in the text form of an extension must not be able to
/// add to it, so names are checked letter by letter.
result<std::string> alternative_names(const certificate_terms& terms) {
  if (terms.addresses.size() > max_certificate_addresses)
    return fail(errc::invalid_argument, "a certificate names at most 32 addresses");
  std::string text = "DNS:" + std::string{node_prefix} + std::to_string(terms.node);
  for (const auto& one : terms.addresses) {
    if (auto ip = parse_ip(one))
      text += ",IP:" + to_string(*ip);
    else if (!one.empty() && one.size() <= 253 && only(one, ".-"))
      text += ",DNS:" + one;
    else
      return fail(errc::invalid_argument, "neither an IP address nor a host name", one.substr(0, 64));
  }
  return text;
}

result<handle<EVP_PKEY>> key_of_request(const std::string& request) {
  auto in = reading(request);
  handle<X509_REQ> read{in ? PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr) : nullptr};
  if (!read) return bad("a signing request that does not read", "signing request");
  handle<EVP_PKEY> key{X509_REQ_get_pubkey(read.get())};
  if (!key || X509_REQ_verify(read.get(), key.get()) != 1)
    return bad("a signing request that is not signed with its own key", "signing request");
  if (!strong_enough(key.get())) return bad("a key that is too weak", "signing request");
  return key;
}

tl::unexpected<error> untrusted(const std::string& why) {
  ERR_clear_error();
  return fail(errc::peer_untrusted, "a node's certificate " + why);
}

std::string text_of(const ASN1_STRING* from) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(from)),
          static_cast<std::size_t>(ASN1_STRING_length(from))};
}

/// The only entry of its kind in a name; empty if there is none, or more than one.
std::string name_entry(const X509_NAME* name, int nid) {
  int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

std::vector<std::string> addresses_of(const X509* certificate) {
  std::vector<std::string> all;
  handle<GENERAL_NAMES> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* one = sk_GENERAL_NAME_value(names.get(), i);
    if (one->type == GEN_DNS) all.push_back(text_of(one->d.dNSName));
    if (one->type != GEN_IPADD) continue;
    auto bytes = text_of(one->d.iPAddress);
    ip_address address;
    address.v6 = bytes.size() == 16;
    if (bytes.size() != 4 && bytes.size() != 16) continue;
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    all.push_back(to_string(address));
  }
  return all;
}

std::uint32_t node_of(std::string_view name) {
  if (name.substr(0, node_prefix.size()) != node_prefix) return 0;
  auto digits = name.substr(node_prefix.size());
  std::uint32_t node = 0;
  auto read = std::from_chars(digits.data(), digits.data() + digits.size(), node);
  // One node, one spelling.
  bool good = read.ec == std::errc{} && std::to_string(node) == digits;
  return good ? node : 0;
}

/// Nothing if the chain holds for this use.
std::string fault_of_chain(X509* certificate, X509* ca, std::int64_t now_s, int purpose) {
  handle<X509_STORE> store{X509_STORE_new()};
  handle<X509_STORE_CTX> context{X509_STORE_CTX_new()};
  if (!store || !context || X509_STORE_add_cert(store.get(), ca) != 1
      || X509_STORE_CTX_init(context.get(), store.get(), certificate, nullptr) != 1)
    return "cannot be checked: " + library_text();
  auto* how = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(how, now_s);
  X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(how, purpose);
  if (X509_verify_cert(context.get()) == 1) return {};
  return std::string{"is refused: "} + X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

} // namespace

result<certificate_and_key> make_cluster_ca(const std::string& cluster, std::int64_t from_s, int days) {
  if (auto good = check_cluster_id(cluster); !good) return tl::unexpected<error>(good.error());
  auto key = make_key();
  handle<X509> ca{X509_new()};
  if (!key || !ca) return bad("cannot make a CA", cluster);
  auto* self = ca.get();
  X509_set_version(self, X509_VERSION_3);
  auto* name = X509_get_subject_name(self);
  bool fine = set_serial(self) && set_times(self, from_s, days) && add_name(name, "O", cluster)
              && add_name(name, "CN", "Picket cluster CA") && X509_set_issuer_name(self, name) == 1
              && X509_set_pubkey(self, key.get()) == 1
              && add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
              && add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign")
              && add_extension(self, self, NID_subject_key_identifier, "hash")
              && X509_sign(self, key.get(), EVP_sha256()) != 0;
  if (!fine) return bad("cannot make a CA", cluster);
  return certificate_and_key{to_pem(self), to_pem(key.get())};
}

result<signing_request> make_signing_request() {
  auto key = make_key();
  handle<X509_REQ> request{X509_REQ_new()};
  if (!key || !request) return bad("cannot make a signing request", {});
  bool fine = X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1
              && add_name(X509_REQ_get_subject_name(request.get()), "CN", "picket node")
              && X509_REQ_set_pubkey(request.get(), key.get()) == 1
              && X509_REQ_sign(request.get(), key.get(), EVP_sha256()) != 0;
  if (!fine) return bad("cannot make a signing request", {});
  return signing_request{pem_text([&](BIO* out) { return PEM_write_bio_X509_REQ(out, request.get()) == 1; }),
                         to_pem(key.get())};
}

result<std::string> sign_request(const certificate_and_key& ca, const std::string& request,
                                 const certificate_terms& terms) {
  if (auto good = check_cluster_id(terms.cluster); !good) return tl::unexpected<error>(good.error());
  if (terms.node == 0) return fail(errc::invalid_argument, "a node's id is not 0");
  auto names = alternative_names(terms);
  if (!names) return tl::unexpected<error>(names.error());
  auto signer = read_certificate(ca.certificate);
  auto signer_key = read_key(ca.key);
  if (!signer || !signer_key || X509_check_private_key(signer.get(), signer_key.get()) != 1)
    return bad("the CA's certificate and key do not read or do not belong together", "cluster CA");
  auto key = key_of_request(request);
  if (!key) return tl::unexpected<error>(key.error());
  handle<X509> fresh{X509_new()};
  if (!fresh) return bad("cannot make a certificate", {});
  auto* one = fresh.get();
  X509_set_version(one, X509_VERSION_3);
  auto* name = X509_get_subject_name(one);
  bool fine = set_serial(one) && set_times(one, terms.from_s, terms.days)
              && add_name(name, "O", terms.cluster)
              && add_name(name, "CN", std::string{node_prefix} + std::to_string(terms.node))
              && X509_set_issuer_name(one, X509_get_subject_name(signer.get())) == 1
              && X509_set_pubkey(one, key->get()) == 1
              && add_extension(one, signer.get(), NID_basic_constraints, "critical,CA:FALSE")
              && add_extension(one, signer.get(), NID_key_usage, "critical,digitalSignature,keyEncipherment")
              && add_extension(one, signer.get(), NID_ext_key_usage, "serverAuth,clientAuth")
              && add_extension(one, signer.get(), NID_subject_key_identifier, "hash")
              && add_extension(one, signer.get(), NID_authority_key_identifier, "keyid:always")
              && add_extension(one, signer.get(), NID_subject_alt_name, *names)
              && X509_sign(one, signer_key.get(), EVP_sha256()) != 0;
  if (!fine) return bad("cannot sign a certificate", {});
  return to_pem(one);
}

bool wants_renewal(const certificate_facts& facts, std::int64_t now_s) noexcept {
  return now_s - facts.from_s > (facts.until_s - facts.from_s) / 2;
}

result<std::string> fingerprint_of(const std::string& certificate) {
  auto read = read_certificate(certificate);
  if (!read) return bad("a certificate that does not read", {});
  return digest_of(read.get());
}

result<certificate_facts> check_certificate(const std::string& certificate, const std::string& ca,
                                            const std::string& cluster, std::int64_t now_s) {
  auto authority = read_certificate(ca);
  if (!authority) return bad("the CA's certificate does not read", "cluster CA");
  auto read = read_certificate(certificate);
  if (!read) return untrusted("does not read");
  for (auto purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    auto fault = fault_of_chain(read.get(), authority.get(), now_s, purpose);
    if (!fault.empty()) return untrusted(fault);
  }
  if (X509_check_ca(read.get()) != 0) return untrusted("is one of an authority");
  certificate_facts facts;
  const auto* name = X509_get_subject_name(read.get());
  facts.cluster = name_entry(name, NID_organizationName);
  facts.node = node_of(name_entry(name, NID_commonName));
  if (facts.node == 0) return untrusted("names no node");
  if (facts.cluster != cluster) return untrusted("is of another cluster");
  facts.fingerprint = digest_of(read.get());
  facts.from_s = seconds_of(X509_get0_notBefore(read.get()));
  facts.until_s = seconds_of(X509_get0_notAfter(read.get()));
  facts.addresses = addresses_of(read.get());
  return facts;
}

result<void> check_member(const certificate_facts& facts, const member_identity& member) {
  auto node = "node " + std::to_string(member.node);
  if (facts.node != member.node)
    return fail(errc::peer_untrusted, "the certificate is that of node " + std::to_string(facts.node), node);
  if (member.removed) return fail(errc::not_a_member, "the node was removed from the cluster", node);
  const auto& known = member.fingerprints;
  if (std::find(known.begin(), known.end(), facts.fingerprint) == known.end())
    return fail(errc::peer_untrusted, "the certificate is none that this node was given", node);
  return {};
}

result<void> write_pem_file(const std::string& path, const std::string& text, bool secret) {
  return write_file(path, secret ? 0600 : 0644, [&](std::FILE* out) {
    return std::fwrite(text.data(), 1, text.size(), out) == text.size();
  });
}

} // namespace picket::net
