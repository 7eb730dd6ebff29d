// The cases of agent-protocol.md section 10 on the enrollment port, against a real node. Case 14 runs on an
// injected clock: actors/registry/decide_test.cpp.

#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/enrollment_client.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "protocol/enrollment/keys.hpp"

namespace picket {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class EnrollmentCases : public ::testing::Test {
protected:
  harness::node_process& node(harness::settings with = {}) {
    if (node_) return *node_;
    harness::seed_group(dir.path(), "a");
    harness::seed_group(dir.path(), "b");
    harness::seed_agent(dir.path(), harness::transcript_agent());
    node_ = std::make_unique<harness::node_process>(dir.path(), std::move(with));
    auto started = node_->start();
    EXPECT_TRUE(started) << (started ? "" : to_string(started.error()));
    return *node_;
  }

  std::string enroll(const std::string& line, const char* from = nullptr) {
    agentsim::tls_client_context tls;
    std::optional<agentsim::socket_address> source;
    if (from != nullptr) source = agentsim::source_address(from, 0).value();
    auto answer =
        agentsim::exchange_line(tls, node().enrollment(), line + "\n", 10'000, source ? &*source : nullptr);
    return answer ? *answer : "(" + to_string(answer.error()) + ")";
  }

  testing::scratch_directory dir;
  std::unique_ptr<harness::node_process> node_;
};

std::string refused(const std::string& text) { return "ERROR: " + text + ". Unable to add agent"; }

TEST_F(EnrollmentCases, Case01_Tls12GetsIdNameAddressAndKey) {
  agentsim::tls_client_context tls12{agentsim::tls_version::v1_2, agentsim::tls_version::v1_2};
  auto answer = agentsim::exchange_line(tls12, node().enrollment(), "OSSEC A:'nn'\n", 10'000);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_THAT(*answer, MatchesRegex("OSSEC K:'008 nn any [0-9a-f]+'"));
  EXPECT_EQ(answer->size(), std::string{"OSSEC K:'008 nn any '"}.size() + 64);
  auto keys = node().api("GET", "/picket/keys");
  ASSERT_TRUE(keys);
  EXPECT_THAT(keys->get<std::string>(), HasSubstr(answer->substr(9, answer->size() - 10) + "\n"));
}

TEST_F(EnrollmentCases, Case02_Tls11IsRefusedInTheHandshake) {
  agentsim::tls_client_context tls11{agentsim::tls_version::v1_1, agentsim::tls_version::v1_1};
  auto answer = agentsim::exchange_line(tls11, node().enrollment(), "OSSEC A:'nn'\n", 10'000);
  EXPECT_FALSE(answer) << *answer;
}

TEST_F(EnrollmentCases, Case03_ANameOfOneCharacter) {
  EXPECT_EQ(enroll("OSSEC A:'n'"), refused("Invalid agent name: n"));
}

TEST_F(EnrollmentCases, Case04_TheLongestName) {
  EXPECT_THAT(enroll("OSSEC A:'" + std::string(128, 'x') + "'"), StartsWith("OSSEC K:'"));
  EXPECT_THAT(enroll("OSSEC A:'" + std::string(129, 'x') + "'"), StartsWith("ERROR: Invalid agent name: "));
}

TEST_F(EnrollmentCases, Case05_WrongNamesAndTheServersOwn) {
  EXPECT_EQ(enroll("OSSEC A:'.x1'"), refused("Invalid agent name: .x1"));
  EXPECT_EQ(enroll("OSSEC A:'user*1'"), refused("Invalid agent name: user*1"));
  EXPECT_EQ(enroll("OSSEC A:'node-under-test'"), refused("Invalid agent name: node-under-test"));
}

TEST_F(EnrollmentCases, Case06_WithAPassword) {
  auto file = dir.path() / "pass";
  std::ofstream{file} << "s3cret\n";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  node({{"enrollment.use_password", "yes"}, {"enrollment.password_file", file.string()}});
  EXPECT_EQ(enroll("OSSEC A:'a1'"), refused("Invalid password"));
  EXPECT_EQ(enroll("OSSEC PASS: wrong OSSEC A:'a1'"), refused("Invalid password"));
  EXPECT_THAT(enroll("OSSEC PASS: s3cret OSSEC A:'a1'"), StartsWith("OSSEC K:'008 a1 any "));
}

TEST_F(EnrollmentCases, Case07_APasswordWhereNoneIsNeeded) {
  EXPECT_EQ(enroll("OSSEC PASS: x OSSEC A:'a2'"), refused("Invalid request for new agent"));
}

TEST_F(EnrollmentCases, Case08_AWrongAddress) {
  EXPECT_EQ(enroll("OSSEC A:'a3' IP:'10.10.10'"), refused("Invalid IP: 10.10.10"));
}

TEST_F(EnrollmentCases, Case09_AnIpv6AddressIsExpanded) {
  EXPECT_THAT(enroll("OSSEC A:'a4' IP:'2001:db8:0:b::1A'"),
              HasSubstr(" a4 2001:0DB8:0000:000B:0000:0000:0000:001A "));
}

TEST_F(EnrollmentCases, Case10_ARangeAndTheSourceAddress) {
  EXPECT_THAT(enroll("OSSEC A:'a5' IP:'10.10.10.1/24'"), HasSubstr(" a5 10.10.10.1/24 "));
  EXPECT_THAT(enroll("OSSEC A:'a6' IP:'src'", "127.0.0.77"), HasSubstr(" a6 127.0.0.77 "));
}

TEST_F(EnrollmentCases, Case11_GroupsThatAreWrong) {
  const std::string prohibited = "characters '\\/:*?\"<>|,' are prohibited";
  EXPECT_EQ(enroll("OSSEC A:'g1' G:'nope'"), refused("Invalid group: nope"));
  EXPECT_EQ(enroll("OSSEC A:'g1' G:''"), refused("Invalid group name: Empty Group"));
  EXPECT_EQ(enroll("OSSEC A:'g1' G:'a,'"), refused("Invalid group name: a,... cannot start or end with ','"));
  EXPECT_EQ(enroll("OSSEC A:'g1' G:'a,,b'"),
            refused("Invalid group name: a,,b... consecutive ',' are not allowed"));
  EXPECT_EQ(enroll("OSSEC A:'g1' G:'a?'"), refused("Invalid group name: a?... " + prohibited));
  EXPECT_THAT(enroll("OSSEC A:'g1' G:'b,a'"), StartsWith("OSSEC K:'"));
  EXPECT_EQ(node().agent("008")["group"], nlohmann::json({"b", "a"}));
}

TEST_F(EnrollmentCases, Case12_AHigherVersion) {
  EXPECT_THAT(enroll("OSSEC A:'a7' V:'v99.0.0'"), StartsWith("OSSEC K:'"));
  node_.reset();
  std::filesystem::remove_all(dir.path() / "data");
  node({{"enrollment.allow_higher_versions", "no"}});
  EXPECT_EQ(enroll("OSSEC A:'a7' V:'v99.0.0'"),
            refused("Agent version must be lower or equal to manager version"));
  EXPECT_THAT(enroll("OSSEC A:'a7' V:'v4.14.9'"), StartsWith("OSSEC K:'"));
}

TEST_F(EnrollmentCases, Case13_TheNameOfAConfirmedAgent) {
  EXPECT_EQ(enroll("OSSEC A:'web-01'"), refused("Duplicate agent name: web-01"));
}

TEST_F(EnrollmentCases, ARepeatOfAnUnconfirmedRequestGetsTheSameIdAndKey) {
  auto first = enroll("OSSEC A:'fresh' V:'v4.14.7'");
  ASSERT_THAT(first, StartsWith("OSSEC K:'008 fresh any "));
  EXPECT_EQ(enroll("OSSEC A:'fresh' V:'v4.14.7'"), first);
  EXPECT_EQ(enroll("OSSEC A:'fresh'", "127.0.0.9"), refused("Duplicate agent name: fresh")) << "another host";
}

TEST_F(EnrollmentCases, Case15_TheAgentHoldsTheKeyThatItIsKnownBy) {
  node({{"enrollment.force.after_registration_time_s", "0"}});
  EXPECT_EQ(enroll("OSSEC A:'web-01' K:'a33383d70c653d11f244fa9047f27a43b4d63ac6'"),
            refused("Duplicate agent name: web-01"));
  EXPECT_THAT(enroll("OSSEC A:'web-01'"), StartsWith("OSSEC K:'008 web-01 any "))
      << "without it the agent is replaced: never connected, and the other rules are off";
}

TEST_F(EnrollmentCases, Case16_AnIdNeverComesBackAlsoOverARestart) {
  ASSERT_THAT(enroll("OSSEC A:'high'"), StartsWith("OSSEC K:'008 "));
  auto removed = node().api("DELETE", "/agents?agents_list=008&status=all&older_than=0s");
  ASSERT_TRUE(removed);
  EXPECT_EQ((*removed)["data"]["affected_items"], nlohmann::json({"008"}));
  EXPECT_EQ(node().stop(), 0);
  ASSERT_TRUE(node().start());
  EXPECT_THAT(enroll("OSSEC A:'next'"), StartsWith("OSSEC K:'009 "));
}

TEST_F(EnrollmentCases, Case17_TheLineEndComesInASecondRecord) {
  agentsim::tls_client_context tls;
  auto to = node().enrollment();
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&to.storage), to.size), 0);
  SSL* ssl = SSL_new(tls.get());
  SSL_set_fd(ssl, fd);
  ASSERT_EQ(SSL_connect(ssl), 1);
  ASSERT_GT(SSL_write(ssl, "OSSEC A:'two'", 13), 0);
  ASSERT_GT(SSL_write(ssl, "\n", 1), 0);
  char answer[256] = "";
  EXPECT_GT(SSL_read(ssl, answer, sizeof answer - 1), 0);
  EXPECT_THAT(std::string{answer}, StartsWith("OSSEC K:'008 two any "));
  SSL_free(ssl);
  ::close(fd);
}

TEST_F(EnrollmentCases, ASilentClientIsEndedByTheTimeLimit) {
  node({{"enrollment.timeout_ms", "300"}});
  agentsim::tls_client_context tls;
  auto answer = agentsim::exchange_line(tls, node().enrollment(), "OSSEC A:'never-ends'", 10'000);
  EXPECT_TRUE(!answer || answer->empty());
  EXPECT_TRUE(harness::eventually(
      [&] { return node().metric("picket_enrollment_closed_total{reason=\"deadline\"}") >= 1; }));
}

TEST_F(EnrollmentCases, PlainTextAndARequestWithoutEndAreClosed) {
  auto fd = agentsim::begin_connect(node().enrollment());
  ASSERT_TRUE(fd);
  ASSERT_TRUE(agentsim::wait_writable(fd->get(), INT64_MAX));
  std::string junk(4'096, 'x');
  ASSERT_GT(::send(fd->get(), junk.data(), junk.size(), MSG_NOSIGNAL), 0);
  EXPECT_TRUE(harness::eventually(
      [&] { return node().metric("picket_enrollment_closed_total{reason=\"tls\"}") >= 1; }));
  EXPECT_TRUE(node().has_logged("event=enrollment-tls-failed"));
  agentsim::tls_client_context tls;
  auto endless = agentsim::exchange_line(tls, node().enrollment(), std::string(80'000, 'y'), 10'000);
  EXPECT_TRUE(!endless || endless->empty());
  EXPECT_THAT(enroll("OSSEC A:'fine'"), StartsWith("OSSEC K:'")) << "others are served";
}

} // namespace
} // namespace picket
