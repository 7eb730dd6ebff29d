// A journal whose disk misbehaves in every way that the fault build knows, one after the other, while lines
// come: each stands in the archives once and in order afterwards, also over a kill in the middle. Needs a
// build with faults.

#include <set>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"

namespace picket {
namespace {

using harness::eventually;

struct misfortune {
  const char* fault;
  const char* value;
  bool stops_all; ///< nothing is written while it lasts; else some of it fails
};

constexpr misfortune misfortunes[] = {
    {"disk-error-nth", "3", false}, {"short-write", "1", false},   {"disk-full", "1", true},
    {"disk-read-only", "1", true},  {"disk-error-nth", "1", true}, {"sync-error", "1", true},
};

class JournalFaults : public ::testing::Test {
protected:
  void SetUp() override {
    PICKET_NEEDS_FAULTS();
    harness::seed_agent(dir.path(), harness::transcript_agent());
    ASSERT_TRUE(node.start());
    connect();
  }

  void connect() {
    agent = std::make_unique<agentsim::blocking_agent>(harness::transcript_agent());
    ASSERT_TRUE(agent->connect(node.agents()));
    ASSERT_TRUE(agent->startup());
  }

  /// Lines that are read before it returns.
  void send(int count) {
    auto wanted = node.metric("picket_ingest_records_total") + count;
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(agent->send_event("/var/log/app.log", "line " + std::to_string(sent++)));
    ASSERT_TRUE(eventually([&] { return node.metric("picket_ingest_records_total") >= wanted; }));
  }

  double failures() const { return node.metric("picket_journal_failures_total"); }
  bool is_idle() const { return node.metric("picket_ingest_oldest_unprocessed_seconds") == 0; }

  /// The numbers of the lines as they stand in the archives. After a kill the last ones may be written again,
  /// with the same ids: `repeats` lets these count once.
  std::vector<int> archived(bool repeats) const {
    std::vector<int> numbers;
    std::set<std::string> ids;
    for (const auto& event : node.archives()) {
      auto text = event.value("full_log", "");
      if (text.rfind("line ", 0) != 0) continue;
      bool is_new = ids.insert(event.value("id", "")).second;
      if (!is_new && repeats) continue;
      numbers.push_back(std::atoi(text.c_str() + 5));
    }
    return numbers;
  }

  void expect_all(bool repeats) {
    auto numbers = archived(repeats);
    ASSERT_EQ(numbers.size(), static_cast<std::size_t>(sent));
    for (int i = 0; i < sent; ++i)
      ASSERT_EQ(numbers[static_cast<std::size_t>(i)], i);
  }

  testing::scratch_directory dir;
  harness::node_process node{dir.path(), {{"journal.sync", "strict"}}};
  std::unique_ptr<agentsim::blocking_agent> agent;
  int sent = 0;
};

TEST_F(JournalFaults, EachIsSurvivedWithoutALineLostOrDoubled) {
  for (const auto& one : misfortunes) {
    SCOPED_TRACE(std::string{one.fault} + "=" + one.value);
    auto before = failures();
    ASSERT_TRUE(node.set_fault(one.fault, one.value));
    for (int round = 0; round < 5; ++round)
      send(20);
    // Halves of writes are no failures: the rest is written behind them.
    if (std::string{one.fault} != "short-write") {
      EXPECT_TRUE(eventually([&] {
        if (!one.stops_all && failures() == before) send(5);
        return failures() > before;
      }));
    }
    if (one.stops_all) {
      EXPECT_FALSE(is_idle());
    }
    ASSERT_TRUE(node.set_fault(one.fault, "off"));
    EXPECT_TRUE(eventually([&] { return is_idle(); }));
  }
  EXPECT_EQ(node.stop(), 0);
  expect_all(false);
}

TEST_F(JournalFaults, AKillWhileTheDiskFailsLosesNothing) {
  for (const auto& one : misfortunes) {
    SCOPED_TRACE(std::string{one.fault} + "=" + one.value);
    ASSERT_TRUE(node.set_fault(one.fault, one.value));
    send(60);
    node.kill();
    ASSERT_TRUE(node.start()); // faults that were set are gone with the process
    connect();
    send(10);
    EXPECT_TRUE(eventually([&] { return is_idle(); }));
  }
  EXPECT_EQ(node.stop(), 0);
  expect_all(true);
}

} // namespace
} // namespace picket
