// Parts that hold and write: pool, intake, journal, registry.
#include <benchmark/benchmark.h>

#include "actors/dispatcher/shard_intake.hpp"
#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "store/journal/journal.hpp"
#include "store/registry/registry_tables.hpp"

namespace {

using namespace picket;

constexpr std::size_t records_a_batch = 256;
constexpr std::size_t sealed_bytes = 300; ///< of one record

store::pool_options pool_settings() {
  store::pool_options options;
  options.node = 1;
  options.boot = 1;
  return options;
}

/// A batch of the usual size through the pool: written, closed, read, finished.
void pool_batch(benchmark::State& state) {
  testing::scratch_directory dir;
  auto pool = store::pool::open(dir.path() / "pool", pool_settings());
  if (!pool) return state.SkipWithError("no pool");
  byte_buffer bytes(sealed_bytes, std::byte{7});
  store::pool_record record;
  record.agent = 7;
  record.bytes = bytes;
  for (auto _ : state) {
    auto open = (*pool)->begin(7);
    for (std::size_t i = 0; i < records_a_batch; ++i)
      benchmark::DoNotOptimize(open->append(record));
    auto ref = open->close();
    (*pool)->start(ref, 0);
    auto read = (*pool)->read(ref);
    benchmark::DoNotOptimize(read.records().data());
    (*pool)->finish(ref);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records_a_batch));
}
BENCHMARK(pool_batch);

/// The same with the shards' queues around it, as the I/O threads and the dispatcher use them.
void intake_batch(benchmark::State& state) {
  testing::scratch_directory dir;
  auto opened = store::pool::open(dir.path() / "pool", pool_settings());
  if (!opened) return state.SkipWithError("no pool");
  std::shared_ptr<store::pool> pool = std::move(*opened);
  intake_options gather;
  shard_intake intake{
      pool, nullptr, gather, {[](shard_id) {}, [] {}}, std::make_shared<metrics>(), event_log::silent()};
  connection_turn turn;
  byte_buffer bytes(sealed_bytes, std::byte{7});
  sealed_record record{7, 9, wall_clock_ms(), bytes};
  for (auto _ : state) {
    for (std::size_t i = 0; i < records_a_batch; ++i)
      if (intake.take(record, turn) != intake_answer::taken) return state.SkipWithError("no room");
    while (auto what = intake.take(intake.shard_of(7)))
      intake.finish(*what);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records_a_batch));
}
BENCHMARK(intake_batch);

/// The alerts of a busy batch, with one write.
void journal_append(benchmark::State& state) {
  testing::scratch_directory dir;
  store::journal_options options;
  options.directory = dir.path();
  options.strict_sync = state.range(1) != 0;
  auto journal = store::journal::open(options, {wall_clock_ms(), 0});
  if (!journal) return state.SkipWithError("no journal");
  std::string alert = "{\"text\":\"" + std::string(800, 'x') + "\"}\n";
  std::string alerts;
  for (int i = 0; i < state.range(0); ++i)
    alerts += alert;
  store::journal_lines lines;
  lines.alerts_json = alerts;
  for (auto _ : state)
    if (!journal->append(lines, {wall_clock_ms(), 0})) return state.SkipWithError("cannot write");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(journal_append)->ArgNames({"alerts", "strict"})->Args({26, 0})->Args({26, 1});

/// What a connection that has proven nothing costs the registry.
void find_agent(benchmark::State& state) {
  testing::scratch_directory dir;
  harness::seed_agent(dir.path(), harness::transcript_agent());
  auto tables = store::registry_tables::open(dir.path() / "data" / "state");
  if (!tables) return state.SkipWithError("no registry");
  const auto id = static_cast<agent_id>(state.range(0));
  for (auto _ : state) {
    auto view = (*tables)->read();
    benchmark::DoNotOptimize(view->agent(id));
  }
}
BENCHMARK(find_agent)->ArgName("id")->Arg(7)->Arg(4'711);

} // namespace
