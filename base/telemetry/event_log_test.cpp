#include "base/telemetry/event_log.hpp"

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"

namespace picket {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream in{path};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(EventLog, AValueCannotForgeAFieldOrALine) {
  EXPECT_EQ(escape_log_value("web-01"), "web-01");
  EXPECT_EQ(escape_log_value("x\nevent=admin-login"), "\"x\\x0aevent=admin-login\"");
  EXPECT_EQ(escape_log_value("a \"b\""), "\"a \\\"b\\\"\"");
  EXPECT_EQ(escape_log_value(""), "\"\"");
}

/// A log in a file, under a clock of the test.
class LimitedLog : public ::testing::Test {
protected:
  LimitedLog() {
    log_limits limits;
    limits.event_burst = 5;
    limits.event_per_second = 1;
    limits.source_burst = 2;
    limits.source_per_second = 0.1;
    auto opened = event_log::open({"n1", log_level::info, file(), limits, [this] { return now_ms; }});
    EXPECT_TRUE(opened) << to_string(opened.error());
    log = *opened;
  }
  std::string file() const { return (scratch.path() / "picketd.log").string(); }
  std::vector<std::string> lines() {
    log->flush();
    std::vector<std::string> all;
    std::istringstream text{slurp(file())};
    for (std::string line; std::getline(text, line);)
      all.push_back(line.substr(line.find("level=")));
    return all;
  }

  testing::scratch_directory scratch;
  std::int64_t now_ms = 5'000;
  std::shared_ptr<event_log> log;
};

TEST_F(LimitedLog, WritesOneLineAnEventAndTellsWhatItHeldBack) {
  for (int i = 0; i < 50; ++i)
    log->write(log_event::node_started, {{"port", 1514}});
  EXPECT_EQ(log->count(log_event::node_started), 50u);
  EXPECT_EQ(log->suppressed(), 45u);
  EXPECT_EQ(lines(), std::vector<std::string>(5, "level=info node=n1 event=node-started port=1514"));
  now_ms += 10'000;
  log->tick();
  auto all = lines();
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all.back(), "level=warn node=n1 event=log-suppressed of=node-started count=45 seconds=10");
  log->tick();
  EXPECT_EQ(lines().size(), 6u);
}

TEST_F(LimitedLog, ALoudPeerDoesNotHideTheOthers) {
  for (int i = 0; i < 50; ++i)
    log->write(log_event::record_refused,
               {{"reason", "wrong_key"}, {"agent", ""}, {"peer", "192.0.2.1:" + std::to_string(40'000 + i)}});
  log->write(log_event::record_refused,
             {{"reason", "wrong_key"}, {"agent", ""}, {"peer", "[2001:db8::1]:99"}});
  auto all = lines();
  ASSERT_EQ(all.size(), 3u) << "two of the loud one, whatever its port";
  EXPECT_NE(all.back().find("2001:db8::1"), std::string::npos);
}

TEST_F(LimitedLog, TheLatestErrorIsWrittenInTheEnd) {
  for (int i = 0; i < 20; ++i)
    log->write(log_event::journal_failed,
               error{errc::disk_full, "attempt " + std::to_string(i), "/logs", "x"});
  now_ms += 10'000;
  log->tick();
  auto all = lines();
  ASSERT_EQ(all.size(), 7u);
  EXPECT_NE(all[5].find("of=journal-failed count=15"), std::string::npos);
  EXPECT_NE(all[6].find("attempt 19"), std::string::npos);
}

TEST_F(LimitedLog, WhatIsHeldBackAtTheEndIsTold) {
  for (int i = 0; i < 20; ++i)
    log->write(log_event::journal_failed,
               error{errc::disk_full, "attempt " + std::to_string(i), "/logs", "x"});
  log.reset();
  EXPECT_NE(slurp(file()).find("attempt 19"), std::string::npos);
}

TEST(EventLog, AFileThatCannotBeOpenedIsAnErrorThatSaysHowToMendIt) {
  auto log = event_log::open({"n1", log_level::info, "/proc/no/such/file", {}, {}});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, errc::io);
  EXPECT_NE(log.error().mend.find("log.file"), std::string::npos);
}

TEST(EventLog, EveryEventHasANameAMeaningAndAnAdvice) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < log_event_count(); ++i) {
    auto event = static_cast<log_event>(i);
    EXPECT_TRUE(names.insert(name_of(event)).second) << name_of(event);
    EXPECT_FALSE(meaning_of(event).empty());
    EXPECT_FALSE(advice_of(event).empty());
  }
}

} // namespace
} // namespace picket
