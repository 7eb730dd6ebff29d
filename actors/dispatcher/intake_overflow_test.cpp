#include "actors/dispatcher/shard_intake.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "base/faults/faults.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket {
namespace {

/// An intake with an overflow, a dispatcher of one executor that the test moves step by step, and the
/// overflow's thread, which the test runs as well.
class IntakeOverflow : public ::testing::Test {
protected:
  void open(bool durable = false, std::uint64_t max_bytes = 64 << 20U,
            std::int64_t unreadable_after_ms = 60'000) {
    intake.reset();
    pool.reset();
    files.reset();
    ready.clear();
    store::pool_options options;
    options.segments = 32;
    options.segment_bytes = 4'096;
    options.shards = 4;
    options.shard_quota_segments = 24;
    options.node = 1;
    options.boot = ++boot;
    auto opened = store::pool::open(dir.path() / "run/pool", options);
    ASSERT_TRUE(opened) << to_string(opened.error());
    pool = std::move(*opened);
    store::overflow_options disk;
    disk.dir = dir.path() / "overflow";
    disk.max_bytes = max_bytes;
    disk.keep_free_bytes = 0;
    disk.file_bytes = 256 << 10U;
    auto made = store::overflow::open(disk);
    ASSERT_TRUE(made) << to_string(made.error());
    files = std::move(*made);
    intake_options gather;
    gather.shards = 4;
    gather.batch_records = 8;
    gather.durable = durable;
    gather.unreadable_after_ms = unreadable_after_ms;
    intake_links links{[this](shard_id shard) { ready.push_back(shard); }, [this] { asked = true; },
                       [this](shard_id shard, std::uint64_t batch) { lost.emplace_back(shard, batch); }};
    intake = std::make_unique<shard_intake>(pool, files, gather, links, counts, event_log::silent());
  }

  intake_answer put(agent_id agent, const std::string& text) {
    return intake->take(sealed_record{agent, 9, ++now_ms, as_bytes(text)}, turns[agent]);
  }
  /// Numbered lines of 500 bytes, alternating over four agents; how many were taken.
  int fill(int lines) {
    for (int i = 0; i < lines; ++i) {
      agent_id agent = static_cast<agent_id>(next_line % 4 + 1);
      auto text = std::to_string(next_line) + std::string(500, ' ');
      if (put(agent, text) != intake_answer::taken) return i;
      ++next_line;
      serve();
    }
    return lines;
  }
  void serve() {
    while (asked) {
      asked = false;
      while (intake->serve_overflow()) {
      }
    }
  }
  /// Runs what is ready to its end; the numbers of the lines by agent.
  void run_all() {
    while (!ready.empty()) {
      auto shard = ready.front();
      ready.pop_front();
      if (auto what = intake->take(shard)) {
        for (const auto& record : what->records)
          seen[record.agent].push_back(std::atoi(std::string{record.bytes}.c_str()));
        for (const auto& [of, batch] : lost)
          EXPECT_TRUE(of != shard || batch < what->id.sequence) << "what is lost is told of in its turn";
        highest_attempt = std::max(highest_attempt, what->attempt);
        what->opened = true;
        if (intake->finish(*what)) ready.push_back(shard);
      }
      serve();
    }
  }
  void expect_all_in_order(int lines) {
    std::size_t count = 0;
    for (const auto& [agent, numbers] : seen) {
      count += numbers.size();
      for (std::size_t i = 1; i < numbers.size(); ++i)
        ASSERT_EQ(numbers[i], numbers[i - 1] + 4) << "agent " << agent << " at " << i;
    }
    EXPECT_EQ(count, static_cast<std::size_t>(lines));
  }

  testing::scratch_directory dir;
  std::shared_ptr<store::pool> pool;
  std::shared_ptr<store::overflow> files;
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::unique_ptr<shard_intake> intake;
  std::deque<shard_id> ready;
  std::vector<std::pair<shard_id, std::uint64_t>> lost;
  std::map<agent_id, connection_turn> turns;
  std::map<agent_id, std::vector<int>> seen;
  std::int64_t now_ms = 1'000;
  std::uint32_t boot = 0;
  std::uint32_t highest_attempt = 0;
  bool asked = false;
  int next_line = 0;
};

TEST_F(IntakeOverflow, WhatDoesNotFitIntoThePoolGoesToFilesAndComesBackInOrder) {
  open();
  ASSERT_EQ(fill(4'000), 4'000) << "two megabytes through a pool of 128 KiB: nobody has to wait";
  EXPECT_GT(counts->overflow_stored_batches_total.value(), 100);
  EXPECT_GT(counts->overflow_bytes.value(), 1e6);
  EXPECT_EQ(intake->pressure_now(), pressure::none);
  run_all();
  expect_all_in_order(4'000);
  EXPECT_EQ(highest_attempt, 1u);
  EXPECT_EQ(counts->overflow_loaded_batches_total.value(), counts->overflow_stored_batches_total.value());
  EXPECT_EQ(pool->free_segments(), 32u);
  EXPECT_FALSE(intake->oldest_arrival_ms());
  EXPECT_EQ(files->figures().batches, 0u);
}

TEST_F(IntakeOverflow, NewRecordsDoNotOvertakeThoseInFiles) {
  open();
  ASSERT_EQ(fill(1'000), 1'000);
  // The pool has room again for others, but each agent's order holds while it is analysed.
  std::mt19937 random{7};
  for (int round = 0; round < 200; ++round) {
    auto lines = static_cast<int>(random() % 12);
    ASSERT_EQ(fill(lines), lines) << round;
    if (ready.empty()) continue;
    auto shard = ready.front();
    ready.pop_front();
    if (auto what = intake->take(shard)) {
      for (const auto& record : what->records)
        seen[record.agent].push_back(std::atoi(std::string{record.bytes}.c_str()));
      if (intake->finish(*what)) ready.push_back(shard);
    }
    serve();
  }
  run_all();
  expect_all_in_order(next_line);
}

TEST_F(IntakeOverflow, OneShardAtItsQuotaGoesToFilesWhileThePoolHasRoom) {
  open();
  for (int i = 0; i < 500; ++i) {
    auto text = std::to_string(i * 4) + std::string(500, ' ');
    auto answer = put(1, text);
    serve();
    if (answer != intake_answer::taken) {
      ASSERT_EQ(put(1, text), intake_answer::taken) << i;
    }
    serve();
  }
  run_all();
  expect_all_in_order(500);
}

TEST_F(IntakeOverflow, WhenItIsFullConnectionsFirstGetTurnsAndThenWait) {
  open(false, 300 << 10U);
  int taken = fill(10'000);
  EXPECT_LT(taken, 2'000);
  EXPECT_EQ(intake->overflow_now(), overflow_state::full);
  EXPECT_EQ(intake->pressure_now(), pressure::scarce);
  auto turn = std::make_shared<connection_turn>();
  std::string record(6'000, 'x');
  ASSERT_EQ(intake->take(sealed_record{1, 9, 1, as_bytes(record)}, *turn), intake_answer::throttled);
  int woken = 0;
  intake->when_room(turn, [&] { ++woken; });
  intake->tick();
  EXPECT_EQ(woken, 0) << "4 KiB a second do not suffice for its record yet";
  intake->tick();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(intake->take(sealed_record{1, 9, 1, as_bytes(record)}, *turn), intake_answer::taken);
  EXPECT_EQ(intake->take(sealed_record{1, 9, 1, as_bytes(record)}, *turn), intake_answer::throttled);
  // Turns go on until the pool's last segments.
  for (int i = 0; i < 200 && intake->pressure_now() == pressure::scarce; ++i) {
    turn->allowance_bytes = record.size();
    intake->take(sealed_record{static_cast<agent_id>(i % 4), 9, 1, as_bytes(record)}, *turn);
  }
  EXPECT_EQ(intake->pressure_now(), pressure::stop);
  turn->allowance_bytes = record.size();
  EXPECT_EQ(intake->take(sealed_record{1, 9, 1, as_bytes(record)}, *turn), intake_answer::full);
  woken = 0;
  intake->when_room(turn, [&] { ++woken; });
  intake->tick();
  EXPECT_EQ(woken, 0);
  run_all();
  EXPECT_EQ(woken, 1);
  asked = true;
  serve();
  EXPECT_EQ(intake->overflow_now(), overflow_state::accepting) << "there is room again";
}

TEST_F(IntakeOverflow, AKillLosesNothingThatIsInFilesOrInThePool) {
  open();
  ASSERT_EQ(fill(1'000), 1'000);
  // Some are done, one has begun.
  for (int i = 0; i < 5; ++i) {
    auto shard = ready.front();
    ready.pop_front();
    auto what = intake->take(shard);
    ASSERT_TRUE(what);
    if (i == 4) break;
    for (const auto& record : what->records)
      seen[record.agent].push_back(std::atoi(std::string{record.bytes}.c_str()));
    if (intake->finish(*what)) ready.push_back(shard);
  }
  open();
  EXPECT_GT(intake->resume(), 100u);
  run_all();
  expect_all_in_order(1'000);
  EXPECT_EQ(highest_attempt, 2u);
  EXPECT_EQ(files->figures().batches, 0u);
}

TEST_F(IntakeOverflow, ADurableBatchRunsOnlyWhenItIsOnTheDisk) {
  open(true);
  ASSERT_EQ(put(1, "4"), intake_answer::taken);
  ASSERT_EQ(ready.size(), 1u);
  auto shard = ready.front();
  ready.pop_front();
  EXPECT_FALSE(intake->take(shard)) << "not before it has been forced to the disk";
  EXPECT_EQ(put(1, "8"), intake_answer::taken);
  EXPECT_TRUE(ready.empty()) << "and not announced before";
  serve();
  EXPECT_EQ(counts->overflow_syncs_total.value(), 1);
  run_all();
  EXPECT_EQ(seen[1], (std::vector<int>{4, 8}));
}

TEST_F(IntakeOverflow, DurableBatchesSurviveTheLossOfThePool) {
  open(true);
  ASSERT_EQ(fill(400), 400);
  asked = true;
  serve();
  // What was closed is on the disk; the open batches are not, and never counted as read.
  intake.reset();
  pool.reset();
  std::filesystem::remove_all(dir.path() / "run");
  open(true);
  auto found = intake->resume();
  EXPECT_GE(found, 400u / 8 - 4);
  run_all();
  for (const auto& [agent, numbers] : seen) {
    EXPECT_GE(numbers.size(), 96u - 7) << agent;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      ASSERT_EQ(numbers[i], static_cast<int>(i) * 4 + static_cast<int>(agent) - 1);
  }
}

TEST_F(IntakeOverflow, ABatchInThePoolAndInAFileRunsOnce) {
  open(true);
  ASSERT_EQ(fill(200), 200);
  asked = true;
  serve();
  open(true); // as after a kill: pool and files are both there
  intake->resume();
  asked = true;
  serve();
  run_all();
  expect_all_in_order(200);
}

TEST_F(IntakeOverflow, ABatchThatStandsInTwoFilesRunsOnceAndLeavesNothing) {
  open(true);
  ASSERT_EQ(fill(32), 32);
  asked = true;
  serve();
  // As after a write that the disk took and did not acknowledge, and a crash of the machine.
  auto stored = files->figures().batches;
  intake.reset();
  pool.reset();
  files.reset();
  std::filesystem::copy(dir.path() / "overflow/overflow-00000001.batches",
                        dir.path() / "overflow/overflow-00000002.batches");
  std::filesystem::remove(dir.path() / "run/pool");
  open(true);
  EXPECT_EQ(files->recovery().batches.size(), 2 * stored);
  EXPECT_EQ(intake->resume(), stored);
  asked = true;
  serve();
  run_all();
  EXPECT_EQ(files->figures().batches, 0u);
  std::size_t lines = 0;
  for (const auto& [agent, numbers] : seen)
    lines += numbers.size();
  EXPECT_EQ(lines, 32u);
}

TEST_F(IntakeOverflow, AFileThatIsDamagedCostsItsBatchAndNoMore) {
  open();
  ASSERT_EQ(fill(1'000), 1'000);
  auto file = dir.path() / "overflow/overflow-00000001.batches";
  {
    auto* out = std::fopen(file.c_str(), "r+b");
    ASSERT_TRUE(out);
    std::fseek(out, -20'000, SEEK_END); // behind what has been read back already
    std::fputs("damage", out);
    std::fclose(out);
  }
  run_all();
  EXPECT_EQ(counts->overflow_damaged_batches_total.value(), 1);
  EXPECT_EQ(counts->overflow_lost_records_total.value(), 8);
  ASSERT_EQ(lost.size(), 1u) << "whoever waits for it is told";
  EXPECT_GT(lost[0].second, 0u);
  std::size_t count = 0;
  for (const auto& [agent, numbers] : seen) {
    count += numbers.size();
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  }
  EXPECT_EQ(count, 1'000u - 8);
  EXPECT_FALSE(intake->oldest_arrival_ms());
}

#if PICKET_FAULTS
TEST_F(IntakeOverflow, ADiskThatDoesNotReadKeepsItsBatchesUntilItDoes) {
  open();
  ASSERT_EQ(fill(1'000), 1'000);
  ASSERT_TRUE(faults::set("disk-read-error", "1"));
  run_all();
  auto before = seen[1].size();
  for (int i = 0; i < 3; ++i) {
    asked = true;
    serve();
    run_all();
  }
  EXPECT_GT(counts->overflow_failures_total.value(), 0);
  EXPECT_EQ(counts->overflow_damaged_batches_total.value(), 0);
  EXPECT_EQ(seen[1].size(), before) << "nothing behind it runs";
  EXPECT_TRUE(intake->oldest_arrival_ms());
  faults::clear_all();
  asked = true;
  serve();
  run_all();
  expect_all_in_order(1'000);
}

TEST_F(IntakeOverflow, WhatADiskThatWorksNeverGivesBackIsLostAndTheShardGoesOn) {
  open(false, 64 << 20U, 0);
  ASSERT_EQ(fill(1'000), 1'000);
  ASSERT_TRUE(faults::set("disk-read-error", "1"));
  run_all();
  faults::clear_all();
  asked = true;
  serve();
  run_all();
  EXPECT_GT(counts->overflow_damaged_batches_total.value(), 0);
  EXPECT_EQ(counts->overflow_lost_records_total.value(), counts->overflow_damaged_batches_total.value() * 8);
  std::size_t count = 0;
  for (const auto& [agent, numbers] : seen)
    count += numbers.size();
  EXPECT_EQ(count + static_cast<std::size_t>(counts->overflow_lost_records_total.value()), 1'000u);
  EXPECT_FALSE(intake->oldest_arrival_ms());
}
#endif

} // namespace
} // namespace picket
