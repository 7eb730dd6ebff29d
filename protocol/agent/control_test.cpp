#include "protocol/agent/control.hpp"
#include "protocol/agent/json_text.hpp"

#include <gtest/gtest.h>

namespace picket::protocol {
namespace {

std::string_view body_of(std::string_view message) { return classify_control(message).body; }

TEST(Control, IsToldApart) {
  auto kind = [](std::string_view message) { return classify_control(message).kind; };
  EXPECT_EQ(kind("#!-agent startup {\"version\":\"v4.14.7\"}"), control_kind::startup);
  EXPECT_EQ(kind("#!-agent startup "), control_kind::startup);
  EXPECT_EQ(kind("#!-agent startup"), control_kind::malformed);
  EXPECT_EQ(kind("#!-agent shutdown "), control_kind::shutdown);
  EXPECT_EQ(kind("#!-agent shutdown  "), control_kind::malformed);
  EXPECT_EQ(kind("#!-req 12 ok a\nb"), control_kind::request_answer);
  EXPECT_EQ(kind("#!-Linux |x\nx merged.mg\n"), control_kind::keepalive);
  EXPECT_EQ(kind("#!-hello"), control_kind::malformed);
  EXPECT_EQ(kind("#!-"), control_kind::malformed);
  EXPECT_FALSE(is_control("#!"));
  EXPECT_FALSE(is_control("1:a:b"));
  EXPECT_EQ(body_of("#!-req 12 ok"), "12 ok");
  EXPECT_EQ(body_of("#!-agent startup {}"), "{}");
}

TEST(Control, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(with_valid_utf8("grün €\xf0\x9f\x90\xba"), "grün €\xf0\x9f\x90\xba");
  EXPECT_EQ(with_valid_utf8("a\xff\x62"), "a\xef\xbf\xbd\x62");
  EXPECT_EQ(with_valid_utf8("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
  EXPECT_EQ(with_valid_utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "surrogate";
  EXPECT_EQ(with_valid_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd") << "cut off";
  EXPECT_EQ(with_valid_utf8("\xf4\x90\x80\x80").size(), 12u) << "above the last code point";
}

TEST(Startup, IsCheckedAgainstTheServersVersion) {
  version_policy strict;
  strict.allow_higher = false;
  auto check = [&](std::string_view body) { return check_startup(body, strict); };
  EXPECT_EQ(check(R"({"version":"v4.14.7"})"), version_verdict::accepted);
  EXPECT_EQ(check(R"({"version":"v4.14.99"})"), version_verdict::accepted) << "the patch does not count";
  EXPECT_EQ(check(R"({"version":"v3.99.0"})"), version_verdict::accepted) << "there is no lower bound";
  EXPECT_EQ(check(R"({"version":"v4.15.0"})"), version_verdict::too_high);
  EXPECT_EQ(check(R"({"version":"v99.0.0"})"), version_verdict::too_high);
  EXPECT_EQ(check(R"({"a":[1,{"version":"v1.0"}],"version":"v99.0.0"})"), version_verdict::too_high);
  EXPECT_EQ(check("{}"), version_verdict::missing);
  EXPECT_EQ(check(R"({"version":4})"), version_verdict::missing);
  EXPECT_EQ(check(R"({"x":{"version":"v4.0"}})"), version_verdict::missing);
  EXPECT_EQ(check("[]"), version_verdict::missing);
  EXPECT_EQ(check(""), version_verdict::accepted);
  EXPECT_EQ(check("{\"version\":"), version_verdict::accepted) << "JSON that does not parse";
  strict.allow_higher = true;
  EXPECT_EQ(check(R"({"version":"v99.0.0"})"), version_verdict::accepted);
  EXPECT_EQ(check("{}"), version_verdict::missing) << "whatever the option says";
}

TEST(Startup, VersionsCompareByMajorAndMinor) {
  EXPECT_TRUE(is_higher_version("v5.0", "v4.14.7"));
  EXPECT_TRUE(is_higher_version("Wazuh v5.0", "v4.14.7"));
  EXPECT_FALSE(is_higher_version("v4.9.9", "v4.14.7"));
  EXPECT_FALSE(is_higher_version("", "v4.14.7"));
  EXPECT_FALSE(is_higher_version("garbage", "v4.14.7"));
  EXPECT_TRUE(is_higher_version("v4.99999999999", "v4.14.7"));
}

TEST(Startup, IsFormattedAsAgentsDo) {
  EXPECT_EQ(format_startup("v4.14.7"), R"(#!-agent startup {"version":"v4.14.7"})");
  EXPECT_EQ(format_startup(""), "#!-agent startup ");
  EXPECT_EQ(startup_version(body_of(format_startup("v4.14.7"))), "v4.14.7");
}

TEST(JsonText, FindsAMemberOfTheOutermostObject) {
  EXPECT_EQ(find_json_text(R"( { "a" : "x\n\u00fc\ud83d\udc3a\/" } rest)", "a").value,
            "x\nü\xf0\x9f\x90\xba/");
  EXPECT_EQ(find_json_text(R"({"a":1,"a":"x"})", "a").found, json_member::not_text) << "the first one counts";
  EXPECT_EQ(find_json_text("null", "a").found, json_member::absent);
  for (auto* wrong : {"", "{", "{\"a\"", "{\"a\":}", "{a:1}", "{\"a\":\"\\x\"}", "{\"a\":\"\\ud800\"}",
                      "{\"b\":[1,]}", "{\"a\":\"x\"", "nul", "{\"a\":-}"})
    EXPECT_EQ(find_json_text(wrong, "a").found, json_member::not_json) << wrong;
  std::string deep(100, '[');
  EXPECT_EQ(find_json_text(deep + std::string(100, ']'), "a").found, json_member::not_json);
}

TEST(JsonText, QuotesWhatNeedsIt) { EXPECT_EQ(json_quoted("a\"\\\n\x01ü"), "\"a\\\"\\\\\\u000a\\u0001ü\""); }

constexpr std::string_view transcript_keepalive =
    "#!-Linux |web-01 |5.15.0-91-generic |#101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023 |x86_64 "
    "[Ubuntu|ubuntu: "
    "22.04.3 LTS (Jammy Jellyfish)] - Wazuh v4.14.7 / b8a8b5cd865c68230861b9684a1a540f\n\"site\":\"lab\"\n"
    "c0d164d9c6ab80ae3d98c24bc7e8d831 merged.mg\n#\"_agent_ip\":192.0.2.7\n";

TEST(Keepalive, OfTheTranscript) {
  auto parsed = parse_keepalive(body_of(transcript_keepalive));
  EXPECT_EQ(parsed.version, "Wazuh v4.14.7");
  EXPECT_EQ(parsed.config_sum, "b8a8b5cd865c68230861b9684a1a540f");
  EXPECT_EQ(parsed.merged_sum, "c0d164d9c6ab80ae3d98c24bc7e8d831");
  EXPECT_EQ(parsed.agent_ip, "192.0.2.7");
  EXPECT_EQ(parsed.labels, (std::vector<agent_label>{{"site", "\"lab\"", false, false}}));
  EXPECT_EQ(format_keepalive(parsed), transcript_keepalive);
  auto os = parse_uname(parsed.uname);
  EXPECT_EQ(os, (os_identity{"Ubuntu", "22.04.3 LTS", "22", "04", "", "Jammy Jellyfish", "ubuntu", "x86_64",
                             "web-01"}));
}

TEST(Keepalive, LabelsHaveTheirMarks) {
  auto parsed = parse_keepalive(
      "L - Wazuh v4.3.0\n\"a\":1\n!\"b\":2\n#\"c\":3\n#!\"d\":x\":y\n#junk\n\"e\n!\nx merged.mg\n\n");
  EXPECT_EQ(parsed.labels, (std::vector<agent_label>{{"a", "1", false, false},
                                                     {"b", "2", true, false},
                                                     {"c", "3", false, true},
                                                     {"d", "x\":y", true, true}}));
  EXPECT_EQ(parsed.merged_sum, "x");
  EXPECT_EQ(parsed.config_sum, "");
  EXPECT_EQ(parsed.version, "Wazuh v4.3.0");
  EXPECT_EQ(parsed.agent_ip, "");
}

TEST(Keepalive, WhatFollowsTheLastLineBreakIsPadding) {
  auto parsed = parse_keepalive("No system info available - Wazuh v3.9.0\nx merged.mg\n\"pad\":1");
  EXPECT_TRUE(parsed.labels.empty());
  EXPECT_EQ(parsed.uname, "No system info available");
  EXPECT_EQ(parse_keepalive("no line break - Wazuh v1"), keepalive{});
}

TEST(Keepalive, GoesThereAndBackWithEveryField) {
  keepalive full;
  full.uname = "Microsoft Windows 11 Pro [Ver: 10.0.22631.2861] |HOST-1 |x86_64";
  full.version = "Wazuh v4.14.7";
  full.config_sum = "0123";
  full.merged_sum = "4567";
  full.agent_ip = "10.0.0.1";
  full.labels = {{"a.b", "1", true, false}, {"c", "2", false, true}};
  EXPECT_EQ(parse_keepalive(body_of(format_keepalive(full))), full);
}

TEST(Uname, OfWindows) {
  EXPECT_EQ(parse_uname("Microsoft Windows 11 Pro [Ver: 10.0.22631.2861] |HOST-1 |x86_64"),
            (os_identity{"Microsoft Windows 11 Pro", "10.0.22631.2861", "10", "0", "22631", "", "windows",
                         "x86_64", "HOST-1"}));
  EXPECT_EQ(parse_uname("Microsoft Windows 10 Pro [Ver: 10.0.19045.3324]"),
            (os_identity{"Microsoft Windows 10 Pro", "10.0.19045.3324", "10", "0", "19045", "", "windows", "",
                         ""}));
}

TEST(Uname, OfOthersAndOfBrokenOnes) {
  auto suse = parse_uname("Linux |s |5.3 |#1 |aarch64 [SLES|sles: 15-SP7]");
  EXPECT_EQ(suse.major, "15");
  EXPECT_EQ(suse.minor, "7");
  EXPECT_EQ(suse.architecture, "aarch64");
  auto mac =
      parse_uname("Darwin |mac |22.1.0 |Darwin Kernel Version 22.1.0 |arm64 [macOS|darwin: 13.0 (Ventura)]");
  EXPECT_EQ(mac.codename, "Ventura");
  EXPECT_EQ(mac.platform, "darwin");
  for (auto* odd : {"", "[", " [", " []", " [|", " [Ver: ", " [a: ]", " [a|b: ()]", "x [Ver: 1.] |"})
    parse_uname(odd);
  EXPECT_EQ(parse_uname("No system info available"), os_identity{});
}

TEST(ServerMessage, IsReadByTheSimulator) {
  auto kind = [](std::string_view message) { return parse_server_message(message).kind; };
  EXPECT_EQ(kind(ack_message), server_message_kind::ack);
  EXPECT_EQ(kind("#!-agent ack"), server_message_kind::other);
  EXPECT_EQ(kind(force_reconnect_message), server_message_kind::force_reconnect);
  EXPECT_EQ(kind("#!-req 1 agent getconfig client"), server_message_kind::request);
  EXPECT_EQ(kind("#!-execd {}"), server_message_kind::active_response);
  EXPECT_EQ(parse_server_message("#!-up file 0123 merged.mg\n").body, "0123 merged.mg");
  EXPECT_EQ(kind("#!-close file "), server_message_kind::file_end);
  EXPECT_EQ(kind("chunk"), server_message_kind::other);
  auto refused = parse_server_message(format_err(version_too_high_text));
  EXPECT_EQ(refused.kind, server_message_kind::err);
  EXPECT_EQ(refused.body, version_too_high_text);
  EXPECT_EQ(format_err(version_missing_text), "#!-err {\"message\":\"Couldn't retrieve version\"}");
}

} // namespace
} // namespace picket::protocol
