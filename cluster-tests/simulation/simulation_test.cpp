// A whole node with simulated agents, moved step by step by a seed: chunks of bytes, the order of messages,
// time, and faults. After each step the bounds and the order of each agent hold; at the end nothing is lost
// that was taken, and every request was answered. PICKET_SIMULATION_SEED=N replays one seed,
// PICKET_SIMULATION_SEEDS=N sets how many are run.

#include <cstdlib>
#include <map>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/lines.hpp"
#include "cluster-tests/agentsim/sim_agent.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "cluster-tests/simulation/simulated_node.hpp"
#include "cluster-tests/simulation/small_ruleset.hpp"
#include "cluster-tests/simulation/virtual_time.hpp"

namespace picket::simulation {
namespace {

constexpr std::int64_t begin_wall_ms = 1'764'400'000'000;
constexpr int most_deaths = 2; ///< of executors and of the process: a third attempt is another matter
constexpr int chaos_steps = 1'500;
constexpr std::int64_t settle_limit_ms = 30 * 60'000;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// An agent of the simulator on one end of a socket pair.
struct agent_end {
  explicit agent_end(agentsim::agent_identity who)
      : machine{std::move(who), options()} {}
  ~agent_end() {
    if (fd >= 0) ::close(fd);
  }
  static agentsim::agent_options options() {
    agentsim::agent_options made;
    made.announces_start = false;
    made.timing.retry_interval_ms = 2'000;
    return made;
  }

  agentsim::sim_agent machine;
  int fd = -1;
  bool finishing = false;
  std::uint64_t next_line = 1;
  std::uint64_t flushed = 0; ///< bytes of this connection that the node's kernel has
  std::uint64_t queued = 0;  ///< bytes of this connection in all
  struct sent_line {
    std::uint64_t number = 0;
    std::uint64_t record = 0;
    std::uint64_t end = 0; ///< in the stream
  };
  std::vector<sent_line> on_connection; ///< lines of this connection
  std::uint64_t token = 0;              ///< the node's name of this connection
};

class run {
public:
  explicit run(std::uint64_t number)
      : seed{number}
      , random{number}
      , shape{node_shape::draw(random)} {
    virtual_time::start(begin_wall_ms);
    auto agents_count = 1 + random() % 6;
    lines_wanted = 20 + random() % 150;
    for (std::size_t i = 1; i <= agents_count; ++i) {
      agentsim::agent_identity who{to_text(static_cast<agent_id>(i)), "agent-" + std::to_string(i), "any",
                                   std::string(64, static_cast<char>('a' + i))};
      harness::seed_agent(dir.path(), who);
      agents.push_back(std::make_unique<agent_end>(who));
    }
    std::filesystem::rename(dir.path() / "data/state", dir.path() / "state");
    start_node();
  }

  /// What happened in all runs together: a simulation in which nothing happens shows nothing.
  struct sums {
    double lines = 0, executor_deaths = 0, process_deaths = 0, overflow_batches = 0, syncs = 0, throttles = 0,
           pauses = 0, requeued = 0, sink_failures = 0, reconnects = 0;
  };
  void add_to(sums& all) const {
    all.lines += static_cast<double>(journal->lines);
    all.executor_deaths += executor_deaths;
    all.process_deaths += deaths - executor_deaths;
    for (const auto& one : agents)
      all.reconnects += static_cast<double>(one->machine.counts().connects) - 1;
    // Of the last process only.
    const auto& counts = *node->counts;
    all.overflow_batches += counts.overflow_stored_batches_total.value();
    all.syncs += counts.overflow_syncs_total.value();
    all.throttles += counts.ingest_throttles_total.value();
    all.pauses += counts.ingest_pauses_total.value();
    all.requeued += counts.dispatch_requeued_batches_total.value();
    all.sink_failures += counts.journal_failures_total.value();
  }

  void play() {
    for (int i = 0; i < chaos_steps && !::testing::Test::HasFatalFailure(); ++i) {
      step(true);
      check_bounds();
    }
    settle();
    trace("%s", node->counts->render().c_str());
    check_end();
  }

private:
  /// With PICKET_SIMULATION_TRACE: what happens, for a seed that is replayed.
  template <class... Ts>
  void trace(const char* form, Ts... values) const {
    static const bool wanted = std::getenv("PICKET_SIMULATION_TRACE") != nullptr;
    if (!wanted) return;
    std::printf("%9.3f s  ", static_cast<double>(virtual_time::now_ms() - 1'000'000) / 1'000);
    std::printf(form, values...);
    std::printf("\n");
  }

  void start_node() {
    node = std::make_unique<simulated_node>(dir.path(), shape, small_ruleset(), journal);
    for (auto& one : agents)
      obey(*one, one->machine.start(virtual_time::now_ms()));
  }

  /// The agent's side has ended; the node may still have to read what its kernel holds.
  void end_connection(agent_end& one) {
    trace("agent %s: connection %llu ends, lines up to %llu given, %llu of %llu bytes flushed",
          one.machine.who().id.c_str(), static_cast<unsigned long long>(one.token),
          static_cast<unsigned long long>(one.next_line - 1), static_cast<unsigned long long>(one.flushed),
          static_cast<unsigned long long>(one.queued));
    if (!one.on_connection.empty())
      ended.push_back({one.machine.who().id, one.token, one.flushed, std::move(one.on_connection)});
    one.on_connection.clear();
    one.flushed = one.queued = 0;
  }

  /// Lines of connections that have ended: what the node took must come. `rows`: of a process that is dead; a
  /// connection that is not among them was read to its end.
  void settle_ended(const std::map<std::uint64_t, std::uint64_t>& rows) {
    for (const auto& one : ended) {
      auto row = rows.find(one.token);
      for (const auto& line : one.lines) {
        bool taken = row != rows.end() ? line.record <= row->second : line.end <= one.flushed;
        if (taken)
          must_come[one.agent].push_back(line.number);
        else
          ++not_taken;
      }
    }
    ended.clear();
  }

  void close(agent_end& one) {
    if (one.fd < 0) return;
    ::close(one.fd);
    one.fd = -1;
    one.finishing = false;
    end_connection(one);
  }

  void obey(agent_end& one, agentsim::sim_agent::ask what) {
    using ask = agentsim::sim_agent::ask;
    if (what == ask::open || what == ask::close) close(one);
    if (what == ask::finish) one.finishing = true;
    if (what != ask::open) return;
    one.fd = node->connect(one.token);
    obey(one, one.machine.on_connected(virtual_time::now_ms()));
  }

  /// Gives the kernel a chunk, takes what has come.
  void exchange(agent_end& one, std::size_t most_bytes) {
    auto now_ms = virtual_time::now_ms();
    if (one.fd < 0) return;
    auto size = std::min(most_bytes, one.machine.unsent());
    if (size > 0) {
      auto put = ::send(one.fd, one.machine.output.data() + one.machine.output_sent, size,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put > 0) {
        one.machine.output_sent += static_cast<std::size_t>(put);
        one.flushed += static_cast<std::uint64_t>(put);
        one.machine.trim_output();
      } else if (put < 0 && errno != EAGAIN) {
        return obey(one, one.machine.on_closed(now_ms));
      }
    }
    if (one.finishing && one.machine.unsent() == 0) ::shutdown(one.fd, SHUT_WR);
    std::byte bytes[4'096];
    auto got = ::recv(one.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) return obey(one, one.machine.on_bytes({bytes, static_cast<std::size_t>(got)}, now_ms));
    if (got == 0 || errno != EAGAIN) {
      close(one);
      obey(one, one.machine.on_closed(now_ms));
    }
  }

  void feed(agent_end& one, std::uint64_t lines) {
    for (; lines > 0 && one.next_line <= lines_wanted && one.fd >= 0 && !one.finishing
           && one.machine.now() == agentsim::sim_agent::phase::connected && one.machine.unsent() < 20'000;
         --lines, ++one.next_line) {
      auto number = agentsim::number_suffix("sim", one.machine.who().id, one.next_line);
      auto padding = std::string(random() % 40 == 0 ? 6'000 : random() % 300, 'x');
      one.machine.send_message("1:/var/log/app.log:Nov 29 13:00:00 host app[1]: " + padding + number);
      one.queued = one.flushed + one.machine.unsent();
      one.on_connection.push_back({one.next_line, one.machine.records_of_connection(), one.queued});
    }
  }

  void pass(std::int64_t ms) {
    virtual_time::advance(ms);
    node->advance(ms);
    for (auto& one : agents)
      if (one->machine.next_timer_ms() <= virtual_time::now_ms())
        obey(*one, one->machine.on_timer(virtual_time::now_ms()));
  }

  /// Mostly a little; sometimes so much that time limits end, with everybody at work meanwhile.
  void pass_time() {
    if (random() % 30 != 0) return pass(static_cast<std::int64_t>(random() % 300));
    for (auto left_ms = static_cast<std::int64_t>(random() % 70'000); left_ms > 0; left_ms -= 500) {
      pass(500);
      node->step_io();
      node->run_all();
    }
  }

  void kill_node() {
    auto rows = store::connection_counts::read(dir.path() / "run/connections").value();
    std::map<std::uint64_t, std::uint64_t> taken;
    for (const auto& row : rows)
      taken[row.connection] = row.records;
    trace("the process is killed; overflow state %d, %u segments free",
          static_cast<int>(node->intake->overflow_now()), node->pool->free_segments());
    for (const auto& row : rows)
      trace("  connection %llu of agent %u: %llu records taken",
            static_cast<unsigned long long>(row.connection), row.agent,
            static_cast<unsigned long long>(row.records));
    node.reset();
    for (auto& one : agents) {
      if (one->fd >= 0) ::close(one->fd);
      one->fd = -1;
      one->finishing = false;
      end_connection(*one);
    }
    settle_ended(taken);
    virtual_time::advance(1 + static_cast<std::int64_t>(random() % 3'000));
    node = std::make_unique<simulated_node>(dir.path(), shape, small_ruleset(), journal);
    for (auto& one : agents)
      obey(*one, one->machine.on_closed(virtual_time::now_ms()));
  }

  void fault() {
    switch (random() % 5) {
    case 0:
      journal->failing = !journal->failing;
      trace("the journal %s", journal->failing ? "fails" : "works");
      break;
    case 1:
      if (deaths < most_deaths) {
        ++deaths;
        ++executor_deaths;
        trace("an executor dies");
        node->kill_executor(random());
      }
      break;
    case 2:
      if (deaths < most_deaths) {
        ++deaths;
        kill_node();
      }
      break;
    case 3: { // an agent's machine is cut off
      auto& one = *agents[random() % agents.size()];
      if (one.fd < 0) break;
      close(one);
      obey(one, one.machine.on_closed(virtual_time::now_ms()));
      break;
    }
    default:
      node->ask_something(random);
    }
  }

  void step(bool with_faults) {
    auto& one = *agents[random() % agents.size()];
    switch (random() % 8) {
    case 0:
    case 1:
      node->step_io();
      break;
    case 2:
    case 3:
      node->run_actors(1 + random() % 20, random);
      break;
    case 4:
      feed(one, 1 + random() % 12);
      break;
    case 5:
      exchange(one, random() % 4 == 0 ? 1 + random() % 50 : 64'000);
      break;
    case 6:
      pass_time();
      break;
    default:
      if (with_faults && random() % 6 == 0) fault();
    }
  }

  void check_bounds() {
    auto broken = node->broken_bound();
    ASSERT_TRUE(broken.empty()) << broken << where();
    ASSERT_EQ(node->overdue(), 0u) << "a request was not answered in time" << where();
    const auto& written = journal->written.so_far();
    ASSERT_EQ(written.out_of_order, 0u) << to_string(written) << where();
    ASSERT_EQ(written.wrong_id, 0u) << to_string(written) << where();
  }

  bool all_sent() const {
    return std::all_of(agents.begin(), agents.end(), [&](const auto& one) {
      return one->next_line > lines_wanted && one->machine.unsent() == 0;
    });
  }
  bool all_done() {
    return all_sent() && !node->intake->oldest_arrival_ms() && node->scheduler().jobs.empty();
  }

  std::string what_is_left() const {
    std::string text = std::to_string(node->scheduler().jobs.size()) + " messages";
    if (auto oldest = node->intake->oldest_arrival_ms())
      text += ", a record of " + std::to_string(virtual_time::now_ms() - *oldest + begin_wall_ms - 1'000'000)
              + " ms ago";
    for (const auto& one : agents)
      if (one->next_line <= lines_wanted || one->machine.unsent() > 0)
        text += ", agent " + one->machine.who().id + " in phase "
                + std::to_string(static_cast<int>(one->machine.now())) + (one->fd < 0 ? " without" : " with")
                + " a connection, at line " + std::to_string(one->next_line) + ", "
                + std::to_string(one->machine.unsent()) + " bytes unsent";
    return text;
  }

  /// No more faults: everything that was taken is analysed after a while.
  void settle() {
    journal->failing = false;
    auto limit_ms = virtual_time::now_ms() + settle_limit_ms;
    int quiet = 0;
    while (quiet < 20 && virtual_time::now_ms() < limit_ms && !::testing::Test::HasFatalFailure()) {
      for (auto& one : agents) {
        feed(*one, 50);
        exchange(*one, 64'000);
      }
      pass(50);
      node->step_io();
      node->run_all();
      check_bounds();
      quiet = all_done() ? quiet + 1 : 0;
    }
    ASSERT_TRUE(all_done()) << "it does not come to rest: " << what_is_left() << where();
    for (auto& one : agents)
      end_connection(*one);
    settle_ended({});
  }

  void check_end() {
    if (::testing::Test::HasFatalFailure()) return;
    const auto& found = journal->written;
    auto judged = found.judge({});
    EXPECT_EQ(judged.wrong_id, 0u) << to_string(judged) << where();
    EXPECT_EQ(judged.out_of_order, 0u) << to_string(judged) << where();
    EXPECT_EQ(judged.unreadable, 0u) << where();
    std::size_t missing = 0;
    for (const auto& [agent, numbers] : must_come)
      for (auto number : numbers)
        if (!found.has(agent, number) && ++missing <= 5)
          ADD_FAILURE() << "agent " << agent << ", line " << number << " was taken and is not there"
                        << where();
    EXPECT_EQ(missing, 0u);
    // Doubled only where something had died.
    if (deaths == 0) {
      EXPECT_EQ(judged.doubled_number, 0u) << to_string(judged) << where();
      EXPECT_EQ(not_taken, 0u) << where();
    }
    EXPECT_EQ(node->pool->free_segments(), shape.segments) << where();
    if (node->files) {
      EXPECT_EQ(node->files->figures().batches, 0u) << where();
    }
  }

  std::string where() const {
    return "\n  seed " + std::to_string(seed) + ": " + std::to_string(agents.size()) + " agents, "
           + std::to_string(lines_wanted) + " lines each; " + shape.to_text() + "; deaths "
           + std::to_string(deaths) + "\n  replay: PICKET_SIMULATION_SEED=" + std::to_string(seed)
           + " simulation_test";
  }

  std::uint64_t seed;
  std::mt19937_64 random;
  node_shape shape;
  testing::scratch_directory dir;
  std::shared_ptr<simulated_journal> journal = std::make_shared<simulated_journal>();
  std::vector<std::unique_ptr<agent_end>> agents;
  std::unique_ptr<simulated_node> node;
  struct ended_connection {
    std::string agent;
    std::uint64_t token = 0;
    std::uint64_t flushed = 0;
    std::vector<agent_end::sent_line> lines;
  };
  std::vector<ended_connection> ended;
  std::map<std::string, std::vector<std::uint64_t>> must_come;
  std::uint64_t lines_wanted = 0;
  std::uint64_t not_taken = 0;
  int deaths = 0;
  int executor_deaths = 0;
};

TEST(Simulation, NothingThatWasTakenIsLostWhateverHappens) {
  auto only = from_environment("PICKET_SIMULATION_SEED", 0);
  auto count = only != 0 ? 1 : from_environment("PICKET_SIMULATION_SEEDS", 300);
  auto first = only != 0 ? only : 1;
  // Hundreds of registries are made: on a disk each would wait for it.
  if (std::filesystem::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  run::sums all;
  for (auto seed = first; seed < first + count && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run one{seed};
    one.play();
    one.add_to(all);
  }
  if (HasFailure()) return;
  std::printf("simulation: %llu seeds from %llu on: %.0f lines, %.0f deaths of executors and %.0f of the "
              "process, %.0f "
              "batches requeued, %.0f to overflow files, %.0f syncs, %.0f throttles, %.0f pauses, %.0f "
              "failures of the "
              "sink, %.0f reconnects\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(first), all.lines,
              all.executor_deaths, all.process_deaths, all.requeued, all.overflow_batches, all.syncs,
              all.throttles, all.pauses, all.sink_failures, all.reconnects);
  if (count < 100) return;
  for (auto happened : {all.executor_deaths, all.process_deaths, all.requeued, all.overflow_batches,
                        all.syncs, all.throttles, all.pauses, all.sink_failures, all.reconnects})
    EXPECT_GT(happened, 0);
}

} // namespace
} // namespace picket::simulation
