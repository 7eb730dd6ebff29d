#include "actors/examiner/examination.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket {
namespace {

using namespace protocol::examination;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

step begun(std::uint32_t i) { return {step_kind::begun, i, {}}; }
step opened(std::uint32_t i, const std::string& text) { return {step_kind::opened, i, text}; }
step died(std::uint32_t i, const std::string& how) { return {step_kind::died, i, how}; }
const step ready{step_kind::ready, 0, {}};
const step finished{step_kind::finished, 0, {}};

TEST(Examination, FollowsAChildThroughABatch) {
  examination one{3};
  for (const auto& what : {ready, begun(0), opened(0, "1:/x:a"), begun(1), opened(1, "1:/x:b"),
                           died(1, "signal 6"), begun(2), finished})
    EXPECT_TRUE(one.take(what));
  EXPECT_TRUE(one.over());
  EXPECT_TRUE(one.findings().complete);
  EXPECT_THAT(one.findings().fatal, ElementsAre(Pair(1, "signal 6")));
  EXPECT_THAT(one.findings().messages, ElementsAre(Pair(0, "1:/x:a"), Pair(1, "1:/x:b")));
}

TEST(Examination, ARecordWithWhichTwoChildrenEndIsFatal) {
  examination one{3};
  EXPECT_TRUE(one.take(ready));
  EXPECT_TRUE(one.take(begun(0)));
  one.child_ended("signal 9");
  EXPECT_FALSE(one.over());
  EXPECT_EQ(one.next(), 0u) << "it may have been killed from outside";
  EXPECT_THAT(one.findings().fatal, IsEmpty());
  EXPECT_TRUE(one.take(ready));
  EXPECT_TRUE(one.take(begun(0)));
  one.child_ended("signal 9");
  EXPECT_EQ(one.next(), 1u);
  EXPECT_TRUE(one.take(ready));
  EXPECT_TRUE(one.take(begun(1)));
  EXPECT_TRUE(one.take(begun(2)));
  one.child_ended("no progress for 10 s");
  EXPECT_EQ(one.next(), 2u);
  EXPECT_TRUE(one.take(ready));
  EXPECT_TRUE(one.take(begun(2)));
  one.child_ended("no progress for 10 s");
  EXPECT_TRUE(one.over()) << "that was the last one";
  EXPECT_THAT(one.findings().fatal, ElementsAre(Pair(0, "signal 9"), Pair(2, "no progress for 10 s")));
}

TEST(Examination, AChildThatIsKilledOnceCostsNoLine) {
  examination one{2};
  EXPECT_TRUE(one.take(ready));
  EXPECT_TRUE(one.take(begun(0)));
  one.child_ended("signal 9");
  for (const auto& what : {ready, begun(0), begun(1), finished})
    EXPECT_TRUE(one.take(what));
  EXPECT_TRUE(one.findings().complete);
  EXPECT_THAT(one.findings().fatal, IsEmpty());
}

TEST(Examination, AWorkerMayBeginItsRecordOnceMore) {
  examination one{2};
  for (const auto& what : {ready, begun(0), begun(0), begun(1), died(1, "signal 9"), finished})
    EXPECT_TRUE(one.take(what));
  EXPECT_THAT(one.findings().fatal, ElementsAre(Pair(1, "signal 9")));
}

TEST(Examination, AWorkerThatDiesBeforeItSaysSoIsCountedOnTheNextRecord) {
  examination one{2};
  EXPECT_TRUE(one.take(ready));
  EXPECT_TRUE(one.take(died(0, "signal 11")));
  EXPECT_TRUE(one.take(begun(1)));
  EXPECT_TRUE(one.take(finished));
  EXPECT_THAT(one.findings().fatal, ElementsAre(Pair(0, "signal 11")));
}

TEST(Examination, WhatCannotBeTrueIsNotBelieved) {
  auto at_one = [] {
    examination one{2};
    one.take(ready);
    one.take(begun(0));
    return one;
  };
  EXPECT_FALSE(at_one().take(begun(7)));
  EXPECT_FALSE(at_one().take(opened(1, "x")));
  EXPECT_FALSE(at_one().take(died(4'000'000'000, "x")));
  EXPECT_FALSE(at_one().take(finished)) << "one is left";
  examination through{1};
  through.take(begun(0));
  EXPECT_FALSE(through.take(begun(1)));
  examination behind{3};
  behind.take(ready);
  behind.take(begun(0));
  behind.take(begun(1));
  EXPECT_FALSE(behind.take(begun(0))) << "that one is done";
  behind.take(died(1, "x"));
  EXPECT_FALSE(behind.take(begun(1))) << "and that one has died";
}

TEST(Examination, WithoutARuleSetNothingIsFound) {
  examination one{2};
  one.child_ended("exit code 1");
  EXPECT_TRUE(one.over());
  EXPECT_THAT(one.findings().fatal, IsEmpty());
  EXPECT_THAT(one.findings().problem, HasSubstr("exit code 1"));
  examination other{2};
  EXPECT_TRUE(other.take({step_kind::failed, 0, "no rules"}));
  EXPECT_EQ(other.findings().problem, "no rules");
}

/// Children that are shell scripts; the good one is run by end_to_end_test.
class OddChildren : public ::testing::Test {
protected:
  static request batch(std::size_t records) {
    request what;
    what.records.assign(records, {1, record_form::message, 0, "1:/x:y"});
    return what;
  }

  examination_findings run(const std::string& script, std::size_t records = 2) {
    return examine(batch(records), {"/bin/sh", "-c", script}, limits);
  }

  /// A shell command that says all this at once.
  static std::string say(const std::vector<step>& steps) {
    std::string text;
    for (const auto& what : steps)
      for (char c : encode(what)) {
        char octal[8];
        std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
        text += octal;
      }
    return "printf '" + text + "';";
  }

  examination_limits limits{60'000, 60'000, 60'000, 3};
};

TEST_F(OddChildren, OneThatCannotBeStarted) {
  auto found = examine(batch(2), {"/nonexistent"}, limits);
  EXPECT_FALSE(found.complete);
  EXPECT_THAT(found.problem, HasSubstr("/nonexistent"));
}

TEST_F(OddChildren, OneThatEndsAtOnce) {
  auto found = run("exit 3");
  EXPECT_THAT(found.problem, HasSubstr("exit code 3"));
  EXPECT_EQ(found.children, 1u);
}

TEST_F(OddChildren, OneThatSpeaksNonsense) {
  auto found = run("head -c 300000 /dev/zero");
  EXPECT_THAT(found.problem, HasSubstr("spoiled"));
}

TEST_F(OddChildren, OneThatDiesOfARecordIsFollowedByAnother) {
  auto found = run(say({ready, begun(0)}) + "kill -SEGV $$", 1);
  EXPECT_TRUE(found.complete);
  EXPECT_THAT(found.fatal, ElementsAre(Pair(0, "signal 11")));
  EXPECT_EQ(found.children, 2u) << "the first may have been killed from outside";
  // The third child says again that it begins record 0, which is done: it is not believed.
  found = run(say({ready, begun(0)}) + "kill -SEGV $$", 9);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.children, 3u);
  EXPECT_THAT(found.fatal, ElementsAre(Pair(0, "signal 11")));
  EXPECT_THAT(found.problem, HasSubstr("too many"));
}

TEST_F(OddChildren, OneThatHangsIsKilled) {
  limits.silence_ms = 300;
  auto found = run(say({ready, begun(0)}) + "cat >/dev/null; sleep 600", 1);
  EXPECT_TRUE(found.complete);
  EXPECT_THAT(found.fatal, ElementsAre(Pair(0, HasSubstr("no progress"))));
  EXPECT_EQ(found.children, 2u);
}

TEST_F(OddChildren, OneThatGetsNowhereIsGivenUp) {
  auto began = std::chrono::steady_clock::now();
  limits.total_ms = 1'000;
  auto found = run(say({ready}) + "while true; do " + say({ready}) + " sleep 0.05; done", 2);
  EXPECT_FALSE(found.complete);
  EXPECT_THAT(found.problem, HasSubstr("time"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{20});
}

TEST_F(OddChildren, OneThatDoesNotReadIsNotWaitedForForEver) {
  auto what = batch(1);
  what.records[0].bytes.assign(600'000, 'x');
  limits.start_ms = 300;
  auto found = examine(what, {"/bin/sh", "-c", "sleep 600"}, limits);
  EXPECT_THAT(found.problem, HasSubstr("no progress"));
}

} // namespace
} // namespace picket
