#include "net/node_certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include "base/testing/scratch_directory.hpp"
#include "net/openssl_handles.hpp"

namespace picket::net {
namespace {

constexpr std::int64_t now_s = 1'800'000'000;
constexpr std::int64_t day_s = 86'400;

class NodeCertificate : public ::testing::Test {
protected:
  std::string issue(const certificate_terms& asked, const certificate_and_key& by) {
    auto signed_one = sign_request(by, make_signing_request()->request, asked);
    EXPECT_TRUE(signed_one) << to_string(signed_one.error());
    return signed_one.value_or("");
  }
  std::string issue(const certificate_terms& asked) { return issue(asked, ca); }
  result<certificate_facts> check(const std::string& certificate, std::int64_t at_s = now_s) {
    return check_certificate(certificate, ca.certificate, "c-1", at_s);
  }
  static std::string why(const result<certificate_facts>& outcome) {
    if (outcome) return "accepted";
    EXPECT_EQ(outcome.error().code, errc::peer_untrusted);
    return outcome.error().what;
  }

  certificate_and_key ca = make_cluster_ca("c-1", now_s - 10 * day_s).value();
  certificate_terms terms{"c-1", 7, {"10.0.0.7", "2001:db8::7", "n7.example.org"}, now_s, 90};
};

TEST_F(NodeCertificate, SaysWhoItIs) {
  auto certificate = issue(terms);
  auto facts = check(certificate);
  ASSERT_TRUE(facts) << to_string(facts.error());
  EXPECT_EQ(facts->cluster, "c-1");
  EXPECT_EQ(facts->node, 7u);
  EXPECT_EQ(facts->from_s, now_s - 3'600);
  EXPECT_EQ(facts->until_s, now_s + 90 * day_s);
  EXPECT_EQ(facts->addresses,
            (std::vector<std::string>{"node-7", "10.0.0.7", "2001:db8::7", "n7.example.org"}));
  EXPECT_EQ(facts->fingerprint, *fingerprint_of(certificate));
  EXPECT_EQ(facts->fingerprint.size(), 64u);
}

TEST_F(NodeCertificate, ReadsAsDerToo) {
  auto certificate = issue(terms);
  auto in = openssl::reading(certificate);
  openssl::handle<X509> read{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
  unsigned char* der = nullptr;
  auto size = i2d_X509(read.get(), &der);
  std::string bytes{reinterpret_cast<char*>(der), static_cast<std::size_t>(size)};
  OPENSSL_free(der);
  EXPECT_EQ(*check(bytes), *check(certificate));
  EXPECT_EQ(why(check(bytes + "x")), "a node's certificate does not read") << "and nothing stands behind it";
  EXPECT_EQ(why(check(bytes.substr(0, 100))), "a node's certificate does not read");
}

TEST_F(NodeCertificate, HoldsForItsDaysOnly) {
  auto certificate = issue(terms);
  EXPECT_TRUE(check(certificate, now_s - 3'599)) << "clocks may differ by an hour";
  EXPECT_NE(why(check(certificate, now_s - 3'601)).find("not yet valid"), std::string::npos);
  EXPECT_TRUE(check(certificate, now_s + 90 * day_s - 1));
  EXPECT_NE(why(check(certificate, now_s + 90 * day_s + 1)).find("expired"), std::string::npos);
  auto facts = *check(certificate);
  EXPECT_FALSE(wants_renewal(facts, now_s + 44 * day_s));
  EXPECT_TRUE(wants_renewal(facts, now_s + 46 * day_s));
}

TEST_F(NodeCertificate, OfAnotherCaIsRefused) {
  auto other = make_cluster_ca("c-1", now_s - 10 * day_s).value(); // the same name, another key
  EXPECT_NE(why(check(issue(terms, other))), "accepted");
  EXPECT_TRUE(check_certificate(issue(terms, other), other.certificate, "c-1", now_s));
}

TEST_F(NodeCertificate, SignedByItselfOrByANodeIsRefused) {
  auto request = make_signing_request().value();
  auto node = sign_request(ca, request.request, terms).value();
  // A node with its own certificate as if it were a CA.
  auto forged = sign_request({node, request.key}, make_signing_request()->request, terms);
  ASSERT_TRUE(forged);
  EXPECT_NE(why(check(*forged)), "accepted");
  auto self = make_cluster_ca("c-1", now_s).value();
  EXPECT_NE(why(check(self.certificate)), "accepted");
  EXPECT_NE(why(check(ca.certificate)), "accepted") << "the CA is no node";
}

TEST_F(NodeCertificate, OfAnotherClusterIsRefused) {
  auto other = terms;
  other.cluster = "c-2";
  EXPECT_EQ(why(check(issue(other))), "a node's certificate is of another cluster");
}

TEST_F(NodeCertificate, RubbishIsRefused) {
  for (const auto& bad : {std::string{}, std::string{"x"}, std::string(5'000, '\x30'),
                          std::string{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}})
    EXPECT_EQ(why(check(bad)), "a node's certificate does not read");
  EXPECT_EQ(check_certificate(issue(terms), "no CA", "c-1", now_s).error().code, errc::certificate_invalid);
}

TEST_F(NodeCertificate, IsThatOfAMember) {
  auto first = *check(issue(terms));
  auto renewed = *check(issue(terms));
  EXPECT_NE(first.fingerprint, renewed.fingerprint);
  member_identity member{7, {first.fingerprint}, false};
  EXPECT_TRUE(check_member(first, member));
  EXPECT_EQ(check_member(renewed, member).error().code, errc::peer_untrusted) << "not yet known";
  member.fingerprints.push_back(renewed.fingerprint);
  EXPECT_TRUE(check_member(first, member)) << "while it is renewed both hold";
  EXPECT_TRUE(check_member(renewed, member));
  member.fingerprints.erase(member.fingerprints.begin());
  EXPECT_EQ(check_member(first, member).error().code, errc::peer_untrusted) << "the old one is over";
  member.removed = true;
  EXPECT_EQ(check_member(renewed, member).error().code, errc::not_a_member);
  EXPECT_EQ(check_member(renewed, {8, {renewed.fingerprint}, false}).error().code, errc::peer_untrusted);
  EXPECT_EQ(check_member(renewed, {7, {}, false}).error().code, errc::peer_untrusted);
}

TEST_F(NodeCertificate, TermsAreChecked) {
  auto request = make_signing_request()->request;
  auto refused = [&](auto change) {
    auto other = terms;
    change(other);
    auto outcome = sign_request(ca, request, other);
    return !outcome && outcome.error().code == errc::invalid_argument;
  };
  EXPECT_TRUE(refused([](certificate_terms& t) { t.node = 0; }));
  EXPECT_TRUE(refused([](certificate_terms& t) { t.cluster = ""; }));
  EXPECT_TRUE(refused([](certificate_terms& t) { t.cluster = "a/CN=b"; }));
  EXPECT_TRUE(refused([](certificate_terms& t) { t.cluster = std::string(65, 'c'); }));
  EXPECT_TRUE(refused([](certificate_terms& t) { t.addresses = {"a,IP:1.2.3.4"}; }))
      << "adds no name of its own";
  EXPECT_TRUE(refused([](certificate_terms& t) { t.addresses = {""}; }));
  EXPECT_TRUE(refused([](certificate_terms& t) { t.addresses.assign(33, "10.0.0.1"); }));
  EXPECT_FALSE(refused([](certificate_terms& t) { t.addresses.clear(); }));
  EXPECT_FALSE(make_cluster_ca("bad id", now_s));
}

TEST_F(NodeCertificate, RequestsAreChecked) {
  auto refused = [&](const std::string& request) {
    auto outcome = sign_request(ca, request, terms);
    return !outcome && outcome.error().code == errc::certificate_invalid;
  };
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"));
  // Signed with another key than the one that it asks for.
  openssl::handle<X509_REQ> request{X509_REQ_new()};
  auto one = openssl::make_key();
  auto other = openssl::make_key();
  X509_REQ_set_pubkey(request.get(), one.get());
  X509_REQ_sign(request.get(), other.get(), EVP_sha256());
  auto text = [&] {
    return openssl::pem_text([&](BIO* out) { return PEM_write_bio_X509_REQ(out, request.get()) == 1; });
  };
  EXPECT_TRUE(refused(text()));
  openssl::handle<EVP_PKEY> weak{EVP_RSA_gen(1'024)};
  X509_REQ_set_pubkey(request.get(), weak.get());
  X509_REQ_sign(request.get(), weak.get(), EVP_sha256());
  EXPECT_TRUE(refused(text()));
  openssl::handle<EVP_PKEY> strong{EVP_RSA_gen(2'048)};
  X509_REQ_set_pubkey(request.get(), strong.get());
  X509_REQ_sign(request.get(), strong.get(), EVP_sha256());
  EXPECT_FALSE(refused(text()));
}

TEST_F(NodeCertificate, ACaNeedsItsOwnKey) {
  auto other = make_cluster_ca("c-1", now_s).value();
  auto outcome = sign_request({ca.certificate, other.key}, make_signing_request()->request, terms);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, errc::certificate_invalid);
}

TEST(PemFile, AKeyIsForItsOwnerOnly) {
  picket::testing::scratch_directory directory;
  auto path = (directory.path() / "node.key").string();
  directory.write("node.key", "old");
  ::chmod(path.c_str(), 0666);
  ASSERT_TRUE(write_pem_file(path, "secret\n", true));
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  EXPECT_EQ(directory.read("node.key"), "secret\n");
  EXPECT_FALSE(write_pem_file((directory.path() / "no" / "such").string(), "x", false));
}

} // namespace
} // namespace picket::net
