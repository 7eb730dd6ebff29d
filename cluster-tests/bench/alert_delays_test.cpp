#include "cluster-tests/bench/alert_delays.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/bench/workload.hpp"

namespace picket::bench {
namespace {

TEST(AlertDelays, MatchesNumbersOfItsRunOnce) {
  alert_delays delays{"r1"};
  delays.sent("001", 1, 100);
  delays.sent("001", 2, 200);
  delays.sent("002", 1, 300);
  delays.seen(R"({"full_log":"x picketsim=r1:001:2","id":"1"})"
              "\n"
              R"({"full_log":"y picketsim=r2:001:1"})"
              "\n"
              R"({"full_log":"z picketsim=r1:002:1"})"
              "\n",
              1'000);
  delays.seen(R"({"full_log":"x picketsim=r1:001:2"})", 5'000);
  EXPECT_EQ(delays.sent_count(), 3u);
  EXPECT_EQ(delays.seen_count(), 2u);
  EXPECT_EQ(delays.delays_ns(0), (std::vector<std::int64_t>{700, 800}));
  EXPECT_EQ(delays.delays_ns(250), (std::vector<std::int64_t>{700})) << "sent before: does not count";
}

TEST(AlertDelays, NumbersThatWereNeverSentAreNothing) {
  alert_delays delays{"r1"};
  delays.seen("picketsim=r1:001:1 picketsim=r1:: picketsim=r1:001:99999999999999999999 picketsim=r1:", 1);
  EXPECT_EQ(delays.seen_count(), 0u);
  EXPECT_TRUE(delays.delays_ns(0).empty());
}

TEST(Quantile, IsAValueThatWasMeasured) {
  EXPECT_EQ(quantile({}, 0.5), 0);
  EXPECT_EQ(quantile({7}, 0.99), 7);
  std::vector<std::int64_t> hundred;
  for (int i = 1; i <= 100; ++i)
    hundred.push_back(i);
  EXPECT_EQ(quantile(hundred, 0.5), 50);
  EXPECT_EQ(quantile(hundred, 0.99), 99);
  EXPECT_EQ(quantile(hundred, 1), 100);
}

TEST(GrowingFile, GivesWholeLinesAndFollowsAReplacement) {
  testing::scratch_directory dir;
  auto path = dir.path() / "alerts.json";
  growing_file file{path};
  EXPECT_EQ(file.read(1), "");
  std::ofstream{path} << "one\ntw";
  file.read(1); // finds that it is there now
  std::string all{file.read(1)};
  EXPECT_EQ(all, "one\n");
  std::ofstream{path, std::ios::app} << "o\nthree\n";
  EXPECT_EQ(file.read(1'000), "two\nthree\n");
  std::ofstream{dir.path() / "new"} << "four\n";
  std::filesystem::rename(dir.path() / "new", path);
  file.read(1);
  EXPECT_EQ(file.read(1), "four\n");
}

TEST(Workload, GivesEachAgentTheLinesOverAndOver) {
  agentsim::line_set lines;
  lines.add_line("/var/log/a", "first");
  lines.add_line("/var/log/b", "second");
  workload work{lines, 3};
  EXPECT_EQ(work.event(1, 0, 5).text, "first");
  EXPECT_EQ(work.event(1, 1, 5).text, "second");
  EXPECT_EQ(work.event(3, 2, 5).text, "first");
  EXPECT_EQ(work.event(3, 1, 5).source->agent_id, "003");
  EXPECT_EQ(work.event(3, 1, 5).source->location, "/var/log/b");
  EXPECT_EQ(work.event(2, 1, 5).arrival_ms, 5);
}

} // namespace
} // namespace picket::bench
