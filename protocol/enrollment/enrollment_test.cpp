#include "protocol/enrollment/address.hpp"
#include "protocol/enrollment/answers.hpp"
#include "protocol/enrollment/keys.hpp"
#include "protocol/enrollment/names.hpp"
#include "protocol/enrollment/request.hpp"

#include <gtest/gtest.h>

namespace picket::protocol {
namespace {

using ecode = enrollment_errc;

// ---- the request ----

TEST(EnrollmentRequest, TakesTheLinesThatRealAgentsSend) {
  auto plain = parse_enrollment_request("OSSEC A:'web-01' V:'v4.14.7'").value();
  EXPECT_EQ(plain.name, "web-01");
  EXPECT_EQ(plain.version, "v4.14.7");
  EXPECT_TRUE(plain.password.empty() && plain.groups.empty() && plain.address.empty()
              && plain.ignored.empty());

  std::string_view line = "OSSEC PASS: s3 cret OSSEC A:'web-01' V:'v4.14.7' G:'default,web' IP:'src' "
                          "K:'a33383d70c653d11f244fa9047f27a43b4d63ac6'";
  auto full = parse_enrollment_request(line).value();
  EXPECT_EQ(full.password, "s3 cret");
  EXPECT_EQ(full.groups, "default,web");
  EXPECT_TRUE(full.wants_source_address());
  EXPECT_EQ(full.key_hash, "a33383d70c653d11f244fa9047f27a43b4d63ac6");
  EXPECT_EQ(format_enrollment_request(full), line);
}

TEST(EnrollmentRequest, WhatIsOutOfOrderIsIgnoredWithAllBehindIt) {
  auto request = parse_enrollment_request("OSSEC A:'web-01' IP:'10.1.2.3' G:'web' K:'00'").value();
  EXPECT_EQ(request.address, "10.1.2.3");
  EXPECT_EQ(request.groups, "");
  EXPECT_EQ(request.key_hash, "");
  EXPECT_EQ(request.ignored, " G:'web' K:'00'");
  EXPECT_EQ(parse_enrollment_request("OSSEC A:'web-01'  V:'v4'")->ignored, "  V:'v4'");
  EXPECT_EQ(parse_enrollment_request("OSSEC A:'web-01'\r")->ignored, "\r");
}

struct bad_case {
  const char* label;
  std::string line;
  ecode code;
  std::size_t offset;
  std::string refusal;
};

class EnrollmentRequestErrors : public ::testing::TestWithParam<bad_case> {};

TEST_P(EnrollmentRequestErrors, SayWhereAndAnswerAsTheReferenceDoes) {
  auto got = parse_enrollment_request(GetParam().line);
  ASSERT_FALSE(got);
  EXPECT_EQ(name_of(got.error().code), name_of(GetParam().code));
  EXPECT_EQ(got.error().offset, GetParam().offset);
  EXPECT_EQ(refusal_of(got.error()), GetParam().refusal);
  EXPECT_FALSE(to_string(got.error()).empty());
}

const std::string invalid_request = "Invalid request for new agent";

INSTANTIATE_TEST_SUITE_P(
    , EnrollmentRequestErrors,
    ::testing::Values(
        bad_case{"Empty", "", ecode::no_agent_name, 0, invalid_request},
        bad_case{"NoName", "OSSEC K:'x'", ecode::no_agent_name, 0, invalid_request},
        bad_case{"PasswordAlone", "OSSEC PASS: x", ecode::no_agent_name, 13, invalid_request},
        bad_case{"EmptyPassword", "OSSEC PASS:  OSSEC A:'web'", ecode::empty_field, 12, invalid_request},
        bad_case{"NoClosingQuote", "OSSEC A:'web", ecode::unclosed_field, 9, invalid_request},
        bad_case{"EmptyName", "OSSEC A:''", ecode::bad_agent_name, 9, "Invalid agent name: "},
        bad_case{"ShortName", "OSSEC A:'n'", ecode::bad_agent_name, 9, "Invalid agent name: n"},
        bad_case{"LeadingDot", "OSSEC A:'.x1'", ecode::bad_agent_name, 9, "Invalid agent name: .x1"},
        bad_case{"Star", "OSSEC A:'user*1'", ecode::bad_agent_name, 9, "Invalid agent name: user*1"},
        bad_case{"LineBreakInName", "OSSEC A:'a\nb'", ecode::bad_agent_name, 9, "Invalid agent name: a\nb"},
        bad_case{"LongName", "OSSEC A:'" + std::string(129, 'a') + "'", ecode::bad_agent_name, 9,
                 "Invalid agent name: " + std::string(129, 'a')},
        bad_case{"OpenVersion", "OSSEC A:'web' V:'v4", ecode::unclosed_field, 17,
                 "Unterminated version field"},
        bad_case{"LongVersion", "OSSEC A:'web' V:'" + std::string(2'049, 'v') + "'", ecode::unclosed_field,
                 17, "Unterminated version field"},
        bad_case{"OpenGroup", "OSSEC A:'web' G:'a", ecode::unclosed_field, 17, "Unterminated group field"},
        bad_case{"EmptyGroup", "OSSEC A:'web' G:''", ecode::empty_field, 17,
                 "Invalid group name: Empty Group"},
        bad_case{"GroupAtEnd", "OSSEC A:'web' G:'a,'", ecode::bad_groups, 17,
                 "Invalid group name: a,... cannot start or end with ','"},
        bad_case{"GroupGap", "OSSEC A:'web' G:'a,,b'", ecode::bad_groups, 17,
                 "Invalid group name: a,,b... consecutive ',' are not allowed"},
        bad_case{"GroupCharacter", "OSSEC A:'web' G:'a?'", ecode::bad_groups, 17,
                 R"(Invalid group name: a?... characters '\/:*?"<>|,' are prohibited)"},
        bad_case{"OpenAddress", "OSSEC A:'web' IP:'any", ecode::unclosed_field, 18, "Unterminated IP field"},
        bad_case{"LongAddress", "OSSEC A:'web' IP:'" + std::string(47, '1') + "'", ecode::unclosed_field, 18,
                 "Unterminated IP field"},
        bad_case{"EmptyAddress", "OSSEC A:'web' IP:''", ecode::empty_field, 18, "Invalid IP: "},
        bad_case{"BadAddress", "OSSEC A:'a3' IP:'10.10.10'", ecode::bad_address, 17, "Invalid IP: 10.10.10"},
        bad_case{"OpenKey", "OSSEC A:'web' K:'00", ecode::unclosed_field, 17, "Unterminated key field"},
        bad_case{"LongKey", "OSSEC A:'web' K:'" + std::string(41, '0') + "'", ecode::unclosed_field, 17,
                 "Unterminated key field"},
        bad_case{"TooLong", std::string(max_enrollment_request_bytes, 'a'), ecode::too_long, 0,
                 invalid_request}),
    [](const auto& param) { return std::string{param.param.label}; });

TEST(EnrollmentRequest, NamesOf128CharactersAreTaken) {
  EXPECT_TRUE(parse_enrollment_request("OSSEC A:'" + std::string(128, 'a') + "'"));
  EXPECT_TRUE(parse_enrollment_request("OSSEC A:'nn'"));
}

TEST(EnrollmentPassword, IsStrippedOnlyWhenItIsRight) {
  EXPECT_EQ(strip_password("OSSEC PASS: s3cret OSSEC A:'a1'", "s3cret"), "OSSEC A:'a1'");
  EXPECT_EQ(strip_password("OSSEC PASS: with blanks OSSEC A:'a1'", "with blanks"), "OSSEC A:'a1'");
  for (auto* wrong : {"OSSEC A:'a1'", "OSSEC PASS: wrong OSSEC A:'a1'", "OSSEC PASS: s3cre OSSEC A:'a1'",
                      "OSSEC PASS: s3crets OSSEC A:'a1'", "OSSEC PASS: s3cret", "OSSEC PASS: ", ""})
    EXPECT_EQ(strip_password(wrong, "s3cret"), std::nullopt) << wrong;
}

// ---- answers ----

TEST(EnrollmentAnswer, GoesThereAndBack) {
  enrollment_answer answer{"007", "web-01", "10.10.10.1/24", "5f1c0d7be2a94836"};
  EXPECT_EQ(format_enrollment_answer(answer), "OSSEC K:'007 web-01 10.10.10.1/24 5f1c0d7be2a94836'");
  EXPECT_EQ(parse_enrollment_answer(format_enrollment_answer(answer)), answer);
  EXPECT_EQ(parse_enrollment_answer(format_enrollment_answer(answer) + "\n\n"), answer)
      << "as older servers end it";
  EXPECT_EQ(format_enrollment_refusal(refusal::duplicate_name("web-01")),
            "ERROR: Duplicate agent name: web-01. Unable to add agent");
  EXPECT_EQ(parse_enrollment_answer("ERROR: Invalid password. Unable to add agent").error(),
            "Invalid password");
  EXPECT_EQ(refusal::internal_error("x1"), "Internal manager error adding agent: x1");
  EXPECT_EQ(refusal::duplicate_address("10.0.0.1"), "Duplicate IP: 10.0.0.1");
}

TEST(EnrollmentAnswer, IsReadAsStrictlyAsAgentsDo) {
  for (auto* wrong :
       {"", "OK", "OSSEC K:'007 web-01 any key", "OSSEC K:'007 web-01 any'", "OSSEC K:'007 web-01 any key x'",
        "OSSEC K:'a07 web-01 any key'", "OSSEC K:'007 w any key'", "OSSEC K:'007 web-01 1.2 key'",
        "OSSEC K:'123456789 web-01 any key'", "OSSEC K:'007 web-01 any .key'"})
    EXPECT_FALSE(parse_enrollment_answer(wrong)) << wrong;
}

// ---- groups ----

TEST(Groups, FaultsComeInTheOrderOfTheTable) {
  auto fault = [](std::string_view groups) { return group_syntax_fault(groups).value_or("none"); };
  std::string large(256, 'a');
  std::string shown(255, 'a');
  EXPECT_EQ(fault("default"), "none");
  EXPECT_EQ(fault("a.b:c;d_e-f=g+h!i@j(k)"), "none");
  EXPECT_EQ(fault(large), "Invalid group name: " + shown + "... group is too large");
  EXPECT_EQ(fault("b," + large), "Invalid group name: " + shown + "... group is too large");
  EXPECT_EQ(fault(std::string(65'535, 'a') + ","),
            "Invalid group name: " + shown + "... multigroup is too large");
  EXPECT_EQ(fault("a, b"), "Invalid group name: a, b... white spaces are not allowed");
  EXPECT_EQ(fault(",,"), "Invalid group name: ,,... consecutive ',' are not allowed");
  EXPECT_EQ(fault(","), R"(Invalid group name: ,... characters '\/:*?"<>|,' are prohibited)");
  EXPECT_EQ(fault(",a"), "Invalid group name: ,a... cannot start or end with ','");
  EXPECT_EQ(fault("a b"), R"(Invalid group name: a b... characters '\/:*?"<>|,' are prohibited)");
}

TEST(Groups, MembersKeepTheirOrderAndLoseDoubles) {
  EXPECT_EQ(split_groups("b,a,b,c"), (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_EQ(group_member_fault({"a", "b"}), std::nullopt);
  EXPECT_EQ(group_member_fault({"a", ".."}), "Invalid group name: ..");
  EXPECT_EQ(group_member_fault({"a:b"}), "Invalid group name: a:b");
  EXPECT_EQ(group_member_fault(std::vector<std::string>(129, "a")),
            "Maximum multigroup reached: Limit is 128");
  EXPECT_EQ(group_member_fault(std::vector<std::string>(128, "a")), std::nullopt);
  EXPECT_EQ(unknown_group_text("nope"), "Invalid group: nope");
}

// ---- addresses ----

TEST(Address, FormsAreStoredCanonically) {
  auto canonical = [](std::string_view text) {
    auto parsed = parse_agent_address(text);
    return parsed ? to_text(*parsed) : "invalid";
  };
  EXPECT_EQ(canonical("any"), "any");
  EXPECT_EQ(canonical("10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(canonical("10.10.10.1/24"), "10.10.10.1/24");
  EXPECT_EQ(canonical("10.10.10.1/255.255.252.0"), "10.10.10.1/22");
  EXPECT_EQ(canonical("10.1.2.3/32"), "10.1.2.3/32");
  EXPECT_EQ(canonical("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_EQ(canonical("::ffff:10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(canonical("::ffff:10.1.2.0/120"), "10.1.2.0/24");
  EXPECT_EQ(canonical("2001:db8:0:b::1A"), "2001:0DB8:0000:000B:0000:0000:0000:001A");
  EXPECT_EQ(canonical("2001:db8::/32"), "2001:0DB8:0000:0000:0000:0000:0000:0000/32");
  for (auto* wrong : {"", "Any", "10.10.10", "10.1.2.256", "10.1.2.03", "10.1.2.3/33", "10.1.2.3/",
                      "10.1.2.3/024", "10.1.2.3/255.0.255.0", "10.1.2.3 ", "2001:db8::/129", "fe80::1%eth0",
                      "[::1]", "::ffff:1.2.3.4/95", "::1/255.255.255.0", "host"})
    EXPECT_EQ(canonical(wrong), "invalid") << wrong;
}

TEST(Address, RangesHoldTheirHosts) {
  auto contains = [](std::string_view range, std::string_view host) {
    return parse_agent_address(range)->contains(parse_ip_address(host).value());
  };
  EXPECT_TRUE(contains("any", "::1"));
  EXPECT_TRUE(contains("10.1.2.0/24", "10.1.2.9"));
  EXPECT_FALSE(contains("10.1.2.0/24", "10.1.3.9"));
  EXPECT_TRUE(contains("10.1.2.0/23", "10.1.3.9"));
  EXPECT_TRUE(contains("10.1.2.3", "::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(contains("0.0.0.0/0", "192.0.2.1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Address, DuplicatesAreFoundHoweverTheyAreWritten) {
  auto key = [](std::string_view text) { return parse_agent_address(text)->duplicate_key(); };
  EXPECT_EQ(key("10.1.2.3"), key("10.1.2.3/32"));
  EXPECT_EQ(key("10.1.2.3/24"), key("10.1.2.3/255.255.255.0"));
  EXPECT_EQ(key("10.1.2.3/23"), "10.1.2.0/23");
  EXPECT_NE(key("10.1.2.0"), key("10.1.2.0/24"));
  EXPECT_EQ(key("::1"), key("0:0:0:0:0:0:0:1"));
  EXPECT_EQ(key("any"), "");
  EXPECT_TRUE(parse_agent_address("10.1.2.3")->is_single_v4());
  EXPECT_FALSE(parse_agent_address("10.1.2.3/31")->is_single_v4());
  EXPECT_FALSE(parse_agent_address("::1")->is_single_v4());
  EXPECT_FALSE(parse_agent_address("any")->is_single_v4());
}

// ---- keys ----

TEST(AgentKey, IsHexOfTheRandomBytesAndHashedAsInTheTranscript) {
  std::array<std::byte, 32> random{};
  random[0] = std::byte{0xab};
  auto key = make_agent_key(random);
  EXPECT_EQ(key, "ab" + std::string(62, '0'));
  EXPECT_TRUE(is_valid_agent_key(key));
  EXPECT_EQ(
      agent_key_hash("007", "web-01", "5f1c0d7be2a94836c7d05e91ab34f26890b7de41c35fa28670194ecdb8a3f512"),
      "a33383d70c653d11f244fa9047f27a43b4d63ac6");
}

TEST(PasswordFile, HasOneLineOfThreeBytesAtLeast) {
  EXPECT_EQ(parse_password_file("s3cret\nmore\n").value(), "s3cret");
  EXPECT_EQ(parse_password_file(" blanks stay ").value(), " blanks stay ");
  EXPECT_EQ(parse_password_file("ab\n").value(), "ab");
  EXPECT_EQ(parse_password_file("abc").value(), "abc");
  EXPECT_EQ(parse_password_file(std::string(4'094, 'x') + "\n")->size(), 4'094u);
  for (auto* wrong : {"", "\n", "a", "a\n", "ab", "\nabc\n"})
    EXPECT_FALSE(parse_password_file(wrong)) << wrong;
  EXPECT_FALSE(parse_password_file(std::string(4'095, 'x')));
}

TEST(KeyFile, ReadsAllOddForms) {
  auto file = parse_key_file("001 web-01 any 5f1c\n"
                             "# comment\n"
                             " another\n"
                             "\n"
                             "002 db-01 10.1.2.3/255.255.255.0 0a1b\r\n"
                             "003 !old-box any 77aa\n"
                             "004 #older any 77aa\n"
                             "5 short any 77aa\n"
                             "006  two any 77aa\n"
                             "007 three any\n"
                             "008 web-01 any 99\n"
                             "001 again any 99\n"
                             "009 bad*name any 99\n"
                             "010 host nowhere 99\n"
                             "011 host any .9\n"
                             "012 last any 1234 and more");
  ASSERT_EQ(file.entries.size(), 5u);
  EXPECT_EQ(file.entries[1].address, "10.1.2.3/24");
  EXPECT_EQ(file.entries[1].key, "0a1b");
  EXPECT_TRUE(file.entries[2].removed);
  EXPECT_EQ(file.entries[2].name, "old-box");
  EXPECT_TRUE(file.entries[3].removed);
  EXPECT_EQ(file.entries[4].id, 12u);
  EXPECT_EQ(file.entries[4].key, "1234");
  std::vector<std::size_t> lines;
  for (const auto& fault : file.faults) {
    EXPECT_FALSE(fault.what.empty());
    lines.push_back(fault.line);
  }
  EXPECT_EQ(lines, (std::vector<std::size_t>{8, 9, 10, 11, 12, 13, 14, 15}));
}

TEST(KeyFile, LinesAreFormattedAsTheyAreRead) {
  EXPECT_EQ(format_key_line(7, "web-01", "any", "5f1c"), "007 web-01 any 5f1c");
  EXPECT_EQ(format_key_line(1'000, "old", "any", "5f1c", true), "1000 !old any 5f1c");
  auto line = parse_key_line("007 " + std::string(128, 'a') + " any 5f1c");
  EXPECT_EQ(line.kind, key_line_kind::malformed);
}

} // namespace
} // namespace picket::protocol
