#include "base/telemetry/event_log.hpp"

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

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

TEST(EventLog, WritesOneLineAnEventAndCountsWhatItSuppresses) {
  auto path = ::testing::TempDir() + "event_log_test.log";
  std::remove(path.c_str());
  auto log = event_log::open({"n1", log_level::info, path, 2});
  ASSERT_TRUE(log) << to_string(log.error());
  for (int i = 0; i < 50; ++i)
    (*log)->write(log_event::node_started, {{"port", 1514}});
  (*log)->flush();
  EXPECT_EQ((*log)->count(log_event::node_started), 50u);
  auto text = slurp(path);
  EXPECT_NE(text.find("level=info node=n1 event=node-started port=1514\n"), std::string::npos) << text;
  auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_LE(lines, 4) << "two a second, and the test may cross one second";
}

TEST(EventLog, AFileThatCannotBeOpenedIsAnErrorThatSaysHowToMendIt) {
  auto log = event_log::open({"n1", log_level::info, "/proc/no/such/file", 2});
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
