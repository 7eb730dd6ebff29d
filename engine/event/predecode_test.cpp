#include "engine/event/predecode.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

struct row {
  const char* id;
  const char* text;
  const char* program_name;
  const char* hostname; ///< null: the manager's own
  const char* timestamp;
  const char* log;
};

void PrintTo(const row& each, std::ostream* out) { *out << each.id << " " << each.text; }

std::optional<std::string_view> optional_text(const char* text) {
  if (!text) return std::nullopt;
  return text;
}

class PredecodeExamples : public ::testing::TestWithParam<row> {};

TEST_P(PredecodeExamples, SplitAsSpecified) {
  const auto& expected = GetParam();
  source from;
  from.manager_name = "vm.example";
  event ev;
  ev.source = &from;
  ev.full_log = expected.text;
  predecode(ev);
  EXPECT_EQ(ev.program_name, optional_text(expected.program_name));
  EXPECT_EQ(ev.hostname, expected.hostname ? expected.hostname : "vm");
  EXPECT_EQ(ev.timestamp, optional_text(expected.timestamp));
  EXPECT_EQ(ev.log, expected.log);
  EXPECT_EQ(ev.full_log, expected.text);
}

// decoders.md 3.9
// clang-format off
INSTANTIATE_TEST_SUITE_P(Specification, PredecodeExamples, ::testing::Values(
  row{"L01", "Dec 29 10:00:01 host sshd[123]: hello world", "sshd", "host", "Dec 29 10:00:01", "hello world"},
  row{"L02", "Dec 29 10:00:01 host sshd: hello", "sshd", "host", "Dec 29 10:00:01", "hello"},
  row{"L03", "Dec 29 10:00:01 host sshd:hello", "sshd", "host", "Dec 29 10:00:01", "hello"},
  row{"L04", "Dec 29 10:00:01 host sshd[123]:hello", "sshd", "host", "Dec 29 10:00:01", "hello"},
  row{"L05", "Dec 29 10:00:01 host sshd[123] hello", "sshd", "host", "Dec 29 10:00:01", "hello"},
  row{"L06", "Dec 29 10:00:01 host sshd[123]x hello", nullptr, "host", "Dec 29 10:00:01", "sshd[123]x hello"},
  row{"L07", "Dec 29 10:00:01 host sshd[12a]: hello", nullptr, "host", "Dec 29 10:00:01", "sshd[12a]: hello"},
  row{"L08", "Dec 29 10:00:01 host sshd[]: hello", nullptr, "host", "Dec 29 10:00:01", "sshd[]: hello"},
  row{"L09", "Dec 29 10:00:01 host sshd hello", nullptr, "host", "Dec 29 10:00:01", "sshd hello"},
  row{"L10", "Dec 29 10:00:01 host last message repeated 3 times", nullptr, "host", "Dec 29 10:00:01", "last message repeated 3 times"},
  row{"L11", "Dec  9 10:00:01 host p:  two", "p", "host", "Dec  9 10:00:01", " two"},
  row{"L12", "Dec 9 10:00:01 host p: x", nullptr, nullptr, nullptr, "Dec 9 10:00:01 host p: x"},
  row{"L13", "Dec 29 10:00:01  host p: x", "p", "host", "Dec 29 10:00:01", "x"},
  row{"L14", "Dec 29 10:00:01   host p: x", nullptr, "", "Dec 29 10:00:01", "host p: x"},
  row{"L15", "Dec 29 10:00:01 p: x", "p", nullptr, "Dec 29 10:00:01", "x"},
  row{"L16", "Dec 29 10:00:01 p[1]: x", nullptr, nullptr, "Dec 29 10:00:01", "p[1]: x"},
  row{"L17", "Dec 29 10:00:01 ::1 p: x", nullptr, nullptr, "Dec 29 10:00:01", "::1 p: x"},
  row{"L18", "Dec 29 10:00:01 host:x y: z", nullptr, nullptr, "Dec 29 10:00:01", "host:x y: z"},
  row{"L19", "Dec 29 10:00:01 host", nullptr, nullptr, "Dec 29 10:00:01", "host"},
  row{"L20", "Dec 29 10:00:01 h", nullptr, nullptr, "Dec 29 10:00:01", "h"},
  row{"L21", "Dec 29 10:00:01 ", nullptr, nullptr, nullptr, "Dec 29 10:00:01 "},
  row{"L22", "Dec 29 10:00:01", nullptr, nullptr, nullptr, "Dec 29 10:00:01"},
  row{"L23", "Dec 29 10:00:01 h ", nullptr, "h", "Dec 29 10:00:01", ""},
  row{"L24", "Dec 29 10:00:01 h p:", "p", "h", "Dec 29 10:00:01", ""},
  row{"L25", "Dec 29 10:00:01 h p[1]:", "p", "h", "Dec 29 10:00:01", ""},
  row{"L26", "Dec 29 10:00:01 h (a/b@c_d.e-f): x", "(a/b@c_d.e-f)", "h", "Dec 29 10:00:01", "x"},
  row{"L27", "Dec 29 10:00:01 h a b: x", nullptr, "h", "Dec 29 10:00:01", "a b: x"},
  row{"L28", "Dec 29 10:00:01 h p+q: x", nullptr, "h", "Dec 29 10:00:01", "p+q: x"},
  row{"L29", "Dec 29 10:00:01 (agent) 1.2.3.4->/var/log p: x", nullptr, "(agent)", "Dec 29 10:00:01", "1.2.3.4->/var/log p: x"},
  row{"L30", "Dec 29 10:00:01 h auth|security:info su: x", "su", "h", "Dec 29 10:00:01", "x"},
  row{"L31", "Dec 29 10:00:01 h auth|security:info su[12]: x", "su", "h", "Dec 29 10:00:01", "x"},
  row{"L32", "Dec 29 10:00:01 h auth|security:info su[12]:x", "su", "h", "Dec 29 10:00:01", "auth|security:info su"},
  row{"L33", "Dec 29 10:00:01 h auth|security:info su x", "su x", "h", "Dec 29 10:00:01", " x"},
  row{"L34", "Dec 29 10:00:01 h auth|security:info su:x", "su:x", "h", "Dec 29 10:00:01", ":x"},
  row{"L35", "Dec 29 10:00:01 h auth|security:info", nullptr, "h", "Dec 29 10:00:01", "auth|security:info"},
  row{"L36", "Dec 29 10:00:01 h auth|security info su: x", nullptr, "h", "Dec 29 10:00:01", "auth|security info su: x"},
  row{"L37", "Dec 29 10:00:01 h auth|Security:info su: x", nullptr, "h", "Dec 29 10:00:01", "auth|Security:info su: x"},
  row{"L38", "Dec 29 10:00:01 h p: [ID 702911 auth.notice] hello", "p", "h", "Dec 29 10:00:01", "hello"},
  row{"L39", "Dec 29 10:00:01 h p: [ID 702911 auth.notice]hello", "p", "h", "Dec 29 10:00:01", "ello"},
  row{"L40", "Dec 29 10:00:01 h p: [ID 702911", "p", "h", "Dec 29 10:00:01", "[ID 702911"},
  row{"L41", "Dec 29 10:00:01 p: [ID 1 a.b] x", "p", nullptr, "Dec 29 10:00:01", "x"},
  row{"L42", "Dec 29 10:00:01 h [ID 1 a.b] x", nullptr, "h", "Dec 29 10:00:01", "[ID 1 a.b] x"},
  row{"L43", "Dec 29 10:00:01 h p: [IDx] y", "p", "h", "Dec 29 10:00:01", "[IDx] y"},
  row{"L44", "xxx yy zz:aa:bb h p: x", "p", "h", "xxx yy zz:aa:bb", "x"},
  row{"L45", "Dec 29T10:00:01 h p: x", nullptr, nullptr, nullptr, "Dec 29T10:00:01 h p: x"},
  row{"L46", "Dec 29 10:00:01\th p: x", nullptr, nullptr, nullptr, "Dec 29 10:00:01\th p: x"},
  row{"L47", "Dec 29 10:00:01 h\tp: x", nullptr, nullptr, "Dec 29 10:00:01", "h\tp: x"},
  row{"L48", "<13>Dec 29 10:00:01 h p: x", nullptr, nullptr, nullptr, "<13>Dec 29 10:00:01 h p: x"},
  row{"L49", " Dec 29 10:00:01 h p: x", nullptr, nullptr, nullptr, " Dec 29 10:00:01 h p: x"}
), [](const auto& each) { return std::string(each.param.id); });
INSTANTIATE_TEST_SUITE_P(SpecificationContinued, PredecodeExamples, ::testing::Values(
  row{"L50", "M\303\244r 02 17:30:52 host p[1]: x", "p", "host", "M\303\244r 02 17:30:5", "x"},
  row{"L51", "Mai 02 17:30:52 host p: x", "p", "host", "Mai 02 17:30:52", "x"},
  row{"L52", "2015-04-16 21:51:02,805 host proftpd[123] host: hello", "proftpd", "host", "2015-04-16 21:51:02,805", "host: hello"},
  row{"L53", "2015-04-16 21:51:02,805 proftpd[123]: hello", nullptr, nullptr, "2015-04-16 21:51:02,805", "proftpd[123]: hello"},
  row{"L54", "2015-04-16 21:51:02.805 host p: hello world hello", nullptr, nullptr, nullptr, "2015-04-16 21:51:02.805 host p: hello world hello"},
  row{"L55", "2007-06-14T15:48:55-04:00 host p[1]: x", "p", "host", "2007-06-14T15:48:55-04:00", "x"},
  row{"L56", "2007-06-14T15:48:55-04:00 h p: x", nullptr, nullptr, nullptr, "2007-06-14T15:48:55-04:00 h p: x"},
  row{"L57", "2007-06-14T15:48:55-0400 host p: hello world", nullptr, nullptr, nullptr, "2007-06-14T15:48:55-0400 host p: hello world"},
  row{"L58", "2007-06-14T15:48:55Z host p: hello world foo", nullptr, nullptr, nullptr, "2007-06-14T15:48:55Z host p: hello world foo"},
  row{"L59", "2022-12-19T15:02:53.288+00:00 host p[1]: x y z", "p", "host", "2022-12-19T15:02:53.288+00:00", "x y z"},
  row{"L60", "2022-12-19T15:02:53.288Z host p[1]: x y z", nullptr, nullptr, "2022-12-19T15:02:53.288Z host p", "1]: x y z"},
  row{"L61", "2022-12-19T15:02:53.288123Z host p[1]: x y z", nullptr, nullptr, "2022-12-19T15:02:53.288123Z hos", "p[1]: x y z"},
  row{"L62", "2009-05-22T09:36:46.214994-07:00 host p[1]: x y z", "p", "host", "2009-05-22T09:36:46.214994-07:00", "x y z"},
  row{"L63", "2009-05-22T09:36:46.214994-0700 host p[1]: x y z", "p", "host", "2009-05-22T09:36:46.214994-0700", "x y z"},
  row{"L64", "2009-05-22T09:36:46.2-07:00 host p[1]: x y z", nullptr, nullptr, "2009-05-22T09:36:46.2-07:00 hos", "p[1]: x y z"},
  row{"L65", "2015 Dec 29 10:00:01 host p: x", "p", "host", "2015 Dec 29 10:00:01", "x"},
  row{"L66", "x015 Dec 29 10:00:01 host p: x", nullptr, nullptr, nullptr, "x015 Dec 29 10:00:01 host p: x"},
  row{"L67", "2021-04-21 10:16:09.404756-0700  localhost tccd[140]: hi", "tccd", "localhost", "2021-04-21 10:16:09.404756-0700", "hi"},
  row{"L68", "2021-04-21 10:16:09.404756+0700 localhost tccd[140]: hi", "tccd", "localhost", "2021-04-21 10:16:09.404756+0700", "hi"},
  row{"L69", "2021-04-21 10:16:09.404756Z localhost tccd[140]: hi", nullptr, nullptr, nullptr, "2021-04-21 10:16:09.404756Z localhost tccd[140]: hi"},
  row{"L70", "Mon Apr 17 18:27:14 2006 1 64.160.42.130", nullptr, nullptr, "Mon Apr 17 18:27:14 2006", "1 64.160.42.130"},
  row{"L71", "Mon Apr 17 18:27:14 2006 12 64.160.42.130", nullptr, nullptr, nullptr, "Mon Apr 17 18:27:14 2006 12 64.160.42.130"},
  row{"L72", "Mon Apr 17 18:27:14 2006 1 6", nullptr, nullptr, "Mon Apr 17 18:27:14 2006", "1 6"},
  row{"L73", "01/28-09:13:16.240702  [**] [1:2:3] x", nullptr, nullptr, "01/28-09:13:16.240702", "[**] [1:2:3] x"},
  row{"L74", "01/28-09:13:16.240702 [**] x", nullptr, nullptr, "01/28-09:13:16.240702", "**] x"},
  row{"L75", "01/28-09:13:16.240702 x", nullptr, nullptr, nullptr, "01/28-09:13:16.240702 x"},
  row{"L76", "01/28/1979-09:13:16.240702  [**] [1:2:3] x", nullptr, nullptr, "01/28/1979-09:13:16.240702", "[**] [1:2:3] x"},
  row{"L77", "01/28/1979-09:13:16.240702 xx", nullptr, nullptr, "01/28/1979-09:13:16.240702", "x"},
  row{"L78", "[Fri Feb 11 18:06:35 2004] [warn] x", nullptr, nullptr, "Fri Feb 11 18:06:35 2004", "[warn] x"},
  row{"L79", "[Fri Feb 11 18:06:35 2004]x[warn]", nullptr, nullptr, "Fri Feb 11 18:06:35 2004", "[warn]"},
  row{"L80", "[Fri Feb 11 18:06:35 2004] ", nullptr, nullptr, "Fri Feb 11 18:06:35 2004", ""},
  row{"L81", "[Fri Feb 11 18:06:35 2004]", nullptr, nullptr, nullptr, "[Fri Feb 11 18:06:35 2004]"},
  row{"L82", "[Fri Feb 11 18:06:35.123456 2014] [warn] x", nullptr, nullptr, nullptr, "[Fri Feb 11 18:06:35.123456 2014] [warn] x"},
  row{"L83", "[Time 2006.12.28 15:53:55 UTC] [Facility auth] [Sender sshd] [PID 483] [Message error: PAM: x] [Level 3] [Host H]", "sshd", "H", nullptr, "error: PAM: x"},
  row{"L84", "[Time 2006.12.28 15:53:55 UTC] [Sender sshd] [Message a[b] c] [Host H]", "sshd", "H", nullptr, "a[b"},
  row{"L85", "[Time 2006.12.28 15:53:55 UTC] [Host H] [Sender sshd] [Message m]", nullptr, "H", nullptr, " UTC] [Host H"},
  row{"L86", "[Time 2006.12.28 15:53:55 UTC] [Sender sshd", nullptr, nullptr, nullptr, " UTC] [Sender sshd"},
  row{"L87", "[Time 2006.12.28 15:53:55 UTC] [Message m] [Message n] [Sender a] [Sender b] [Host h", "a", nullptr, nullptr, "m"},
  row{"L88", "[Time 2006.12.28 15:53:55 UTC] nothing", nullptr, nullptr, nullptr, " UTC] nothing"},
  row{"L89", "1140804070.368  11623 192.168.0.1 TCP_MISS/200", nullptr, nullptr, "1140804070.368 ", "11623 192.168.0.1 TCP_MISS/200"},
  row{"L90", "1140804070.368    623 192.168.0.1 TCP_MISS/200 x", nullptr, nullptr, "1140804070.368   ", "623 192.168.0.1 TCP_MISS/200 x"},
  row{"L91", "1140804070.368 11623 192.168.0.1 TCP_MISS/200", nullptr, nullptr, nullptr, "1140804070.368 11623 192.168.0.1 TCP_MISS/200"},
  row{"L92", "2140804070.368  11623 192.168.0.1 TCP_MISS/200", nullptr, nullptr, nullptr, "2140804070.368  11623 192.168.0.1 TCP_MISS/200"},
  row{"L93", "{\"a\":1}", nullptr, nullptr, nullptr, "{\"a\":1}"},
  row{"L94", "Dec 29 10:00:01 h p: {\"a\":\"b\"}", "p", "h", "Dec 29 10:00:01", "{\"a\":\"b\"}"},
  row{"L95", "Dec 29 10:00:01 h p: a\nb c", "p", "h", "Dec 29 10:00:01", "a\nb c"},
  row{"L96", "Oct  1 10:32:26 h %ASA-6-1: x", nullptr, "h", "Oct  1 10:32:26", "%ASA-6-1: x"},
  row{"L97", "2006 WinEvtLog: Application: x", nullptr, nullptr, nullptr, "2006 WinEvtLog: Application: x"}
), [](const auto& each) { return std::string(each.param.id); });
// clang-format on

event predecoded(std::string_view text) {
  event ev;
  ev.full_log = text;
  predecode(ev);
  return ev;
}

TEST(Predecode, AMessageIdAtTheEndLeavesAnEmptyLog) {
  auto ev = predecoded("Dec 29 10:00:01 h p: [ID 702911 auth.notice]");
  EXPECT_EQ(ev.program_name, "p");
  EXPECT_EQ(ev.log, "");
}

struct before_row {
  const char* name;
  const char* text;
  char byte;
};

class ByteBeforeLog : public ::testing::TestWithParam<before_row> {};

TEST_P(ByteBeforeLog, AsTheTerminatorsStand) {
  EXPECT_EQ(predecoded(GetParam().text).byte_before_log, GetParam().byte);
}

// decoders.md 3.8
INSTANTIATE_TEST_SUITE_P(
    Specification, ByteBeforeLog,
    ::testing::Values(before_row{"WholeText", "x", '\0'}, before_row{"NoHost", "Dec 29 10:00:01 host", '\0'},
                      before_row{"NoHostExtraBlank", "Dec 29 10:00:01  host", ' '},
                      before_row{"HostOnly", "Dec 29 10:00:01 h x y", '\0'},
                      before_row{"ProgramNoBlank", "Dec 29 10:00:01 h p:x", '\0'},
                      before_row{"Program", "Dec 29 10:00:01 h p: x", ' '},
                      before_row{"ProgramPid", "Dec 29 10:00:01 h p[1]: x", ' '},
                      before_row{"ProgramPidNoBlank", "Dec 29 10:00:01 h p[1]:x", ':'},
                      before_row{"Solaris", "Dec 29 10:00:01 p: x", ' '},
                      before_row{"Xferlog", "Mon Apr 17 18:27:14 2006 1 64.160.42.130", '\0'},
                      before_row{"Snort", "01/28-09:13:16.240702  [**] x", ' '},
                      before_row{"Apache", "[Fri Feb 11 18:06:35 2004]x[warn]", 'x'},
                      before_row{"Squid", "1140804070.368  11623 192.168.0.1 TCP_MISS/200", '\0'}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Predecode, AnAgentsEventHasTheAgentsNameAsHost) {
  source from;
  from.from_agent = true;
  from.agent_name = "web-01";
  event ev;
  ev.source = &from;
  ev.full_log = "Dec 29 10:00:01 host p: x";
  predecode(ev);
  EXPECT_EQ(ev.hostname, "web-01");
  EXPECT_EQ(ev.hostname_in_log, "host");
}

TEST(AlertHostname, NeedsTheClassicForm) {
  EXPECT_EQ(alert_hostname("Dec 29 10:00:01 host p: x"), "host");
  EXPECT_EQ(alert_hostname("Dec  9 10:00:01 p: x"), "p:");
  EXPECT_EQ(alert_hostname("Dec 29 10:00:01  host"), std::nullopt);
  EXPECT_EQ(alert_hostname("dec 29 10:00:01 host"), std::nullopt);
  EXPECT_EQ(alert_hostname("Dec 49 10:00:01 host"), std::nullopt);
  EXPECT_EQ(alert_hostname("2022-12-19T15:02:53.288+00:00 host p[1]: x y z"), std::nullopt);
  EXPECT_EQ(alert_hostname("Dec 29 10:00:01 "), std::nullopt);
}

} // namespace
} // namespace picket::engine
