#include "protocol/agent/counters.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/agent/frame.hpp"

#include <gtest/gtest.h>

#include <random>

namespace picket::protocol {
namespace {

byte_buffer bytes_of(std::string_view hex) { return from_hex(hex).value(); }

// ---- frames ----

TEST(Frame, IsCutWhenItIsWhole) {
  auto stream = bytes_of("050000002370696e67"
                         "0100000041");
  for (std::size_t have = 0; have < 9; ++have) {
    auto cut = cut_frame(byte_view{stream}.first(have));
    EXPECT_EQ(cut.status, frame_status::incomplete);
    EXPECT_EQ(cut.consumed, 0u);
    EXPECT_EQ(cut.needed_bytes, have < 4 ? 4u : 9u);
  }
  auto cut = cut_frame(stream);
  ASSERT_EQ(cut.status, frame_status::complete);
  EXPECT_TRUE(is_ping(cut.record));
  EXPECT_EQ(cut.consumed, 9u);
  cut = cut_frame(byte_view{stream}.subspan(9));
  ASSERT_EQ(cut.status, frame_status::complete);
  EXPECT_EQ(as_text(cut.record), "A");
  EXPECT_FALSE(is_ping(cut.record));
}

TEST(Frame, HasLimits) {
  EXPECT_EQ(cut_frame(bytes_of("01000100")).status, frame_status::too_large) << "65537 bytes";
  EXPECT_EQ(cut_frame(bytes_of("ffffffff")).status, frame_status::too_large);
  EXPECT_EQ(cut_frame(bytes_of("00000100")).status, frame_status::incomplete) << "65536 bytes";
  EXPECT_EQ(cut_frame(bytes_of("00000000")).status, frame_status::empty);
}

TEST(Frame, PongIsWrittenAsTheTranscriptSays) {
  byte_buffer out;
  append_frame(out, as_bytes(pong_record));
  EXPECT_EQ(to_hex(out), "0500000023706f6e67");
}

// ---- counters ----

TEST(Counters, OfAnAgentRunFromOneToTheLastLocal) {
  counter_pair pair;
  pair = next_agent_pair(pair);
  EXPECT_EQ(pair, (counter_pair{0, 1}));
  pair = next_agent_pair({0, 9'996});
  EXPECT_EQ(pair, (counter_pair{0, 9'997}));
  EXPECT_EQ(next_agent_pair(pair), (counter_pair{1, 1}));
}

TEST(Counters, OfTheServerStartTwoSecondsAhead) {
  server_counter counter{1'000};
  EXPECT_EQ(counter.next(1'000), (counter_pair{1'002, 1}));
  EXPECT_EQ(counter.next(1'001), (counter_pair{1'002, 2}));
  EXPECT_EQ(counter.next(1'002), (counter_pair{1'002, 3}));
  EXPECT_EQ(counter.next(1'003), (counter_pair{1'003, 1}));
}

TEST(Counters, OfTheServerStayAboveAHandedOverPair) {
  server_counter counter{1'000, {5'000, 9'997}};
  EXPECT_EQ(counter.next(1'000), (counter_pair{5'001, 1}));
  server_counter behind{1'000, {1'002, 7}};
  EXPECT_EQ(behind.next(1'000), (counter_pair{1'002, 8}));
}

TEST(Counters, OfTheServerGrowWhateverTheClockDoes) {
  std::mt19937 random{11};
  SCOPED_TRACE("seed 11");
  server_counter counter{1'700'000'000};
  auto last = counter.last();
  for (int i = 0; i < 200'000; ++i) {
    std::int64_t now = 1'700'000'000 + static_cast<std::int64_t>(random() % 20) - 10;
    if (i % 1'000 == 0) now = i % 2'000 == 0 ? -5 : 1'700'000'000 - 3'600;
    auto next = counter.next(now);
    ASSERT_GT(next, last);
    ASSERT_GE(next.local, 1u);
    ASSERT_LE(next.local, last_local_count);
    last = next;
  }
}

TEST(ReceiveWindow, AcceptsEachPairOnceAndNeighboursInAnyOrder) {
  using verdict = receive_window::verdict;
  receive_window window;
  EXPECT_EQ(window.take({0, 1}), verdict::fresh);
  EXPECT_EQ(window.take({0, 1}), verdict::repeated);
  EXPECT_EQ(window.take({0, 4}), verdict::fresh);
  EXPECT_EQ(window.take({0, 2}), verdict::fresh);
  EXPECT_EQ(window.take({0, 3}), verdict::fresh);
  EXPECT_EQ(window.take({0, 2}), verdict::repeated);
  EXPECT_EQ(window.take({0, 4}), verdict::repeated);
  EXPECT_EQ(window.take({0, 67}), verdict::fresh);
  EXPECT_EQ(window.take({0, 4}), verdict::repeated);
  EXPECT_EQ(window.take({0, 3}), verdict::too_old);
  EXPECT_EQ(window.take({7, 1}), verdict::fresh) << "gaps are fine";
  EXPECT_EQ(window.take({6, 9'900}), verdict::too_old);
  EXPECT_EQ(window.highest(), (counter_pair{7, 1}));
}

TEST(ReceiveWindow, RunsOverTheRoundOfTheLocalPart) {
  using verdict = receive_window::verdict;
  receive_window window;
  EXPECT_EQ(window.take({0, 9'997}), verdict::fresh);
  EXPECT_EQ(window.take({1, 2}), verdict::fresh);
  EXPECT_EQ(window.take({1, 1}), verdict::fresh);
  EXPECT_EQ(window.take({0, 9'997}), verdict::repeated);
}

// ---- event messages ----

TEST(EventMessage, SplitsAtTheFirstBareColon) {
  auto event = parse_event_message("1:C|:\\logs\\a.log:x:y").value();
  EXPECT_EQ(event.queue, '1');
  EXPECT_EQ(unescape_location(event.location), "C:\\logs\\a.log");
  EXPECT_EQ(event.text, "x:y");
  auto empty = parse_event_message("1:a:").value();
  EXPECT_EQ(empty.text, "");
  EXPECT_EQ(parse_event_message("x:loc:text")->queue, 'x');
}

TEST(EventMessage, RefusesWhatHasNoSeparators) {
  for (auto* wrong : {"", "1:", "1::", "abcd", "1:location", "1:loc|:ation", "1;a:b", "1:abc|"})
    EXPECT_FALSE(parse_event_message(wrong)) << wrong;
}

TEST(EventMessage, EscapesGoThereAndBack) {
  for (std::string_view location : {"/var/log/x", "a|b:c", "||", ":", "|:|", ""})
    EXPECT_EQ(unescape_location(escape_location(location)), location);
  EXPECT_EQ(escape_location("a|b:c"), "a||b|:c");
  EXPECT_EQ(unescape_location("a|b"), "a|b") << "a bar that escapes nothing stays";
  EXPECT_EQ(unescape_location("a|"), "a|");
  auto message = format_event_message('f', "C:\\x|y", "a:b");
  auto event = parse_event_message(message).value();
  EXPECT_EQ(unescape_location(event.location), "C:\\x|y");
  EXPECT_EQ(event.text, "a:b");
}

TEST(EventMessage, NoticesReadAsTheReferenceWritesThem) {
  auto stopped = format_notice(agent_notice::stopped, "007", "web-01", "any");
  EXPECT_EQ(stopped.location, "[007] (web-01) any->wazuh-remoted");
  EXPECT_EQ(stopped.text, "ossec: Agent stopped: 'web-01->any'.");
  auto gone = format_notice(agent_notice::disconnected, "007", "web-01", "10.1.2.3");
  EXPECT_EQ(gone.location, "[007] (web-01) 10.1.2.3->wazuh-monitord");
  EXPECT_EQ(gone.text, "ossec: Agent disconnected: 'web-01-10.1.2.3'.");
  auto removed = format_notice(agent_notice::removed, "007", "web-01", "any");
  EXPECT_EQ(removed.location, "wazuh-monitord");
  EXPECT_EQ(removed.text, "ossec: Agent removed: 'web-01-any'.");
}

TEST(EventMessage, KeepaliveNoticesAreKnown) {
  EXPECT_TRUE(parse_event_message("1:keepalive:--MARK--")->is_keepalive_notice());
  EXPECT_FALSE(parse_event_message("1:ossec-keepalive:--MARK--")->is_keepalive_notice());
}

} // namespace
} // namespace picket::protocol
