#include "actors/dispatcher/fair_turns.hpp"

#include <map>

#include <gtest/gtest.h>

namespace picket {
namespace {

/// Connections that always have a next record of their size.
class Ring : public ::testing::Test {
protected:
  struct one {
    std::shared_ptr<connection_turn> turn = std::make_shared<connection_turn>();
    std::size_t record_bytes = 0;
    std::size_t read_bytes = 0;
  };

  void add(int name, std::size_t record_bytes) {
    all[name].record_bytes = record_bytes;
    queue(name);
  }
  void queue(int name) {
    auto& who = all[name];
    who.turn->needed_bytes = who.record_bytes;
    turns.wait(who.turn, [this, name] { awake.push_back(name); });
  }
  /// One grant, then everybody who was woken reads as far as the allowance goes and waits again.
  void step(std::size_t budget) {
    awake.clear();
    for (auto& wake : turns.grant(budget, 1))
      wake();
    for (auto name : awake) {
      auto& who = all[name];
      while (who.turn->allowance_bytes >= who.record_bytes) {
        who.turn->allowance_bytes -= who.record_bytes;
        who.read_bytes += who.record_bytes;
      }
      queue(name);
    }
  }

  fair_turns turns;
  std::map<int, one> all;
  std::vector<int> awake;
};

TEST_F(Ring, EachGetsTheSameBytesWhateverTheSizeOfItsRecords) {
  add(1, 200);
  add(2, 65'000);
  add(3, 4'096);
  for (int round = 0; round < 400; ++round)
    step(fair_turns::quantum_bytes * 3);
  const auto fair = fair_turns::quantum_bytes * 400;
  for (const auto& [name, who] : all) {
    EXPECT_LE(who.read_bytes, fair) << name;
    EXPECT_GT(who.read_bytes, fair - 70'000) << name;
  }
}

TEST_F(Ring, ASmallBudgetGoesRoundAndLeavesNobodyOut) {
  for (int name = 0; name < 10; ++name)
    add(name, 1'000);
  for (int round = 0; round < 100; ++round)
    step(fair_turns::quantum_bytes * 3 + 100); // three of ten at a time
  for (const auto& [name, who] : all)
    EXPECT_NEAR(double(who.read_bytes), 30 * 4'096.0, 2 * 4'096.0) << name;
}

TEST_F(Ring, NothingIsGrantedWithoutBudget) {
  add(1, 10);
  EXPECT_TRUE(turns.grant(fair_turns::quantum_bytes - 1, 5).empty());
  EXPECT_EQ(turns.waiting(), 1u);
}

TEST_F(Ring, WhoIsGoneTakesNothingFromTheOthers) {
  add(1, 100);
  add(2, 100);
  EXPECT_TRUE(turns.forget(all[1].turn));
  EXPECT_FALSE(turns.forget(all[1].turn));
  step(fair_turns::quantum_bytes);
  EXPECT_EQ(awake, std::vector<int>{2});
}

TEST_F(Ring, ReleaseEmptiesItInOrderAndForgetsAllowances) {
  add(1, 60'000);
  add(2, 60'000);
  step(fair_turns::quantum_bytes * 2);
  EXPECT_GT(all[1].turn->allowance_bytes, 0u);
  awake.clear();
  for (auto& wake : turns.release(10))
    wake();
  EXPECT_EQ(awake, (std::vector<int>{1, 2}));
  EXPECT_EQ(all[1].turn->allowance_bytes, 0u);
  EXPECT_EQ(turns.waiting(), 0u);
}

} // namespace
} // namespace picket
