// The registry of one to five nodes on one store, moved step by step by a seed: what goes wrong on the way to
// the store, crashes, clocks that differ, compaction, an old copy of the store. After each step the replicas
// are what the store was, and every commit follows the one before it; at the end what was acknowledged is
// there once, and what was refused is not. PICKET_SIMULATION_SEED=N replays one seed,
// PICKET_SIMULATION_SEEDS=N sets how many are run, PICKET_SIMULATION_TRACE=1 tells what goes wrong when.

#include <cstdlib>

#include <gtest/gtest.h>

#include "cluster-tests/registry_sim/world.hpp"

namespace picket::registry_sim {
namespace {

constexpr std::uint64_t seeds_by_default = 300;
/// So many seeds at most until a broken part must have been found.
constexpr std::uint64_t seeds_to_find = 60;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(RegistrySimulation, HoldsWhateverHappens) {
  auto one = from_environment("PICKET_SIMULATION_SEED", 0);
  auto first = one != 0 ? one : 1;
  auto last = one != 0 ? one : from_environment("PICKET_SIMULATION_SEEDS", seeds_by_default);
  figures all;
  for (auto seed = first; seed <= last; ++seed) {
    world here{seed, spoil::nothing};
    auto violation = here.run();
    ASSERT_EQ(violation, "") << "PICKET_SIMULATION_SEED=" << seed << " replays it";
    const auto& now = here.counted();
    all.commits += now.commits;
    all.acknowledged += now.acknowledged;
    all.unknown += now.unknown;
    all.resolved += now.resolved;
    all.crashes += now.crashes;
    all.went_back += now.went_back;
  }
  std::printf("%zu commits, %zu acknowledged, %zu unknown, %zu resolved, %zu crashes, %zu times back\n",
              all.commits, all.acknowledged, all.unknown, all.resolved, all.crashes, all.went_back);
  if (one != 0) return;
  EXPECT_GT(all.acknowledged, (last - first) * 20) << "the weather was too bad to see anything";
  EXPECT_GT(all.unknown, 0u);
  EXPECT_GT(all.resolved, 0u);
  EXPECT_GT(all.crashes, 0u);
  EXPECT_GT(all.went_back, 0u);
}

struct broken_part {
  const char* name;
  spoil what;
};

/// A checker that finds nothing would be worth nothing: each of these must be found.
class RegistrySimulationFinds : public ::testing::TestWithParam<broken_part> {};

TEST_P(RegistrySimulationFinds, ThePartThatIsBroken) {
  std::string found;
  std::uint64_t seed = 1;
  for (; seed <= seeds_to_find && found.empty(); ++seed)
    found = world{seed, GetParam().what}.run();
  EXPECT_NE(found, "") << "in " << seeds_to_find << " seeds";
  std::printf("%s: seed %llu: %s\n", GetParam().name, static_cast<unsigned long long>(seed - 1),
              found.c_str());
}

INSTANTIATE_TEST_SUITE_P(, RegistrySimulationFinds,
                         ::testing::Values(broken_part{"Guard", spoil::guard},
                                           broken_part{"RequestIds", spoil::request_ids},
                                           broken_part{"OldWritesResent", spoil::resend},
                                           broken_part{"SkipRule", spoil::skip_rule},
                                           broken_part{"ResyncWithoutItsRevision", spoil::resync_revision}),
                         [](const auto& which) { return std::string{which.param.name}; });

} // namespace
} // namespace picket::registry_sim
