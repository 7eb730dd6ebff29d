#include "actors/health/readiness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket {
namespace {

using ::testing::HasSubstr;

class Readiness : public ::testing::Test {
protected:
  Readiness() {
    facts.disks = {{"journal", "/var/log/picket", "", 10'000'000'000, 268'435'456},
                   {"data", "/var/lib/picket", "", 10'000'000'000, 268'435'456},
                   {"runtime", "/run/picket", "", 10'000'000, 1'048'576}};
    facts.max_descriptors = 1'000;
    facts.open_descriptors = 50;
  }
  /// Judges each second for so long; the last answer.
  std::vector<finding> after(std::int64_t ms) {
    std::vector<finding> last;
    for (auto until_ms = now_ms + ms; now_ms < until_ms;) {
      now_ms += 1'000;
      last = health.judge(facts, now_ms);
    }
    return last;
  }
  std::string no_ingest(std::int64_t ms = 1'000) { return why_no_ingest(after(ms)); }

  health_facts facts;
  readiness health;
  std::int64_t now_ms = 0;
};

TEST_F(Readiness, NothingIsSaidOfANodeThatIsWell) { EXPECT_TRUE(after(1'000).empty()); }

TEST_F(Readiness, ADrainedNodeIsNotReadyForEventsAtOnceAndReadyForChanges) {
  facts.draining = true;
  auto found = after(1'000);
  EXPECT_EQ(why_no_ingest(found), draining_reason);
  EXPECT_EQ(why_no_control(found), "");
  facts.disks[0].free_bytes = 0;
  EXPECT_EQ(no_ingest(), draining_reason) << "what somebody wanted comes before what is wrong";
  facts.disks[0].free_bytes = 10'000'000'000;
  facts.draining = false;
  EXPECT_EQ(no_ingest(), "");
}

TEST_F(Readiness, AnyDiskThatIsFullStopsIngest) {
  for (std::size_t i = 0; i < 3; ++i) {
    auto before = facts.disks[i].free_bytes;
    facts.disks[i].free_bytes = facts.disks[i].least_bytes - 1;
    auto found = after(1'000);
    EXPECT_THAT(why_no_ingest(found), HasSubstr(facts.disks[i].directory));
    EXPECT_EQ(why_no_control(found), "") << "changes need little room";
    facts.disks[i].free_bytes = 1'000'000;
    EXPECT_EQ(!why_no_control(after(1'000)).empty(), facts.disks[i].of == "data")
        << "the registry lies there: " << facts.disks[i].of;
    facts.disks[i].free_bytes = before;
    EXPECT_EQ(no_ingest(), "");
  }
}

TEST_F(Readiness, ADiskAroundItsLimitDoesNotFlap) {
  auto& free = facts.disks[0].free_bytes;
  auto least = facts.disks[0].least_bytes;
  int changes = 0;
  bool ready = true;
  for (int i = 0; i < 100; ++i) {
    free = i % 2 ? least + 1'000 : least - 1'000;
    bool now = no_ingest().empty();
    changes += now != ready ? 1 : 0;
    ready = now;
  }
  EXPECT_EQ(changes, 1);
  free = least + least / 4;
  EXPECT_EQ(no_ingest(), "");
}

TEST_F(Readiness, ADiskThatDoesNotAnswerIsAReason) {
  facts.disks[1].problem = "Input/output error";
  EXPECT_THAT(no_ingest(), HasSubstr("data directory does not answer: Input/output error"));
}

TEST_F(Readiness, ALimitOfNothingIsNone) {
  for (auto& disk : facts.disks)
    disk.least_bytes = disk.free_bytes = 0;
  EXPECT_EQ(no_ingest(), "");
}

TEST_F(Readiness, AWordComesBeforeTheStop) {
  facts.disks[0].free_bytes = facts.disks[0].least_bytes + 1'000'000;
  auto found = after(1'000);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].stops_ingest);
  EXPECT_THAT(found[0].what, HasSubstr("only 256 MiB left"));
  EXPECT_FALSE(found[0].mend.empty());
}

TEST_F(Readiness, AJournalThatFailsStopsIngestUntilItIsFineForAWhile) {
  facts.journal_failing_ms = 1'000;
  facts.journal_why = "No space left on device";
  EXPECT_EQ(no_ingest(), "") << "one refusal alone may be over at once";
  facts.journal_failing_ms = 4'000;
  EXPECT_THAT(no_ingest(3'000), HasSubstr("cannot be written for 4 s: No space left"));
  facts.journal_failing_ms = 0;
  EXPECT_NE(no_ingest(2'000), "");
  facts.journal_failing_ms = 1'000;
  EXPECT_NE(no_ingest(2'000), "");
  facts.journal_failing_ms = 0;
  EXPECT_NE(no_ingest(5'000), "") << "the quiet time begins anew";
  EXPECT_EQ(no_ingest(1'000), "");
}

TEST_F(Readiness, AWriteThatHangsIsAReason) {
  facts.journal_busy_ms = 14'000;
  EXPECT_EQ(no_ingest(), "");
  facts.journal_busy_ms = 20'000;
  EXPECT_THAT(no_ingest(), HasSubstr("has taken 20 s"));
}

TEST_F(Readiness, AnAnalysisThatIsStuckStopsIngestUntilItHasCaughtUp) {
  facts.oldest_age_ms = 60'000;
  auto found = after(1'000);
  EXPECT_EQ(why_no_ingest(found), "");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].what, HasSubstr("60 s late"));
  facts.oldest_age_ms = 60'001;
  EXPECT_THAT(no_ingest(), HasSubstr("60 s ago"));
  facts.oldest_age_ms = 40'000;
  EXPECT_NE(no_ingest(), "");
  facts.oldest_age_ms = 29'999;
  EXPECT_EQ(no_ingest(), "");
  facts.oldest_age_ms.reset();
  EXPECT_TRUE(after(1'000).empty());
}

TEST_F(Readiness, APartThatDoesNotAnswerIsAReason) {
  facts.dispatcher_silent_ms = 16'000;
  EXPECT_THAT(no_ingest(), HasSubstr("dispatcher has not answered for 16 s"));
}

TEST_F(Readiness, WithoutAnyRoomAgentsAreSentElsewhere) {
  facts.overflow_batches = 7;
  auto found = after(1'000);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].what, HasSubstr("7 batches wait"));
  facts.no_room = true;
  EXPECT_EQ(no_ingest(2'000), "");
  EXPECT_THAT(no_ingest(1'000), HasSubstr("no room"));
  facts.no_room = false;
  EXPECT_NE(no_ingest(1'000), "");
  EXPECT_EQ(no_ingest(5'000), "");
}

TEST_F(Readiness, TheRegistryStopsChangesOnly) {
  facts.registry_problem = "broken";
  auto found = after(1'000);
  EXPECT_EQ(why_no_ingest(found), "");
  EXPECT_THAT(why_no_control(found), HasSubstr("broken"));
}

TEST_F(Readiness, WhatStopsComesBeforeWhatIsOnlyWorthAWord) {
  facts.dead_letters = 2;
  facts.open_descriptors = 950;
  facts.paused_connections = 3;
  facts.oldest_age_ms = 100'000;
  auto found = after(1'000);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_TRUE(found[0].stops_ingest);
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_FALSE(found[i].stops_ingest) << found[i].what;
  for (const auto& one : found)
    EXPECT_FALSE(one.mend.empty()) << one.what;
}

} // namespace
} // namespace picket
