// What real agents need from a server that is short of room (docs/connect-a-wazuh-agent.md), each rule by
// itself, in virtual time.

#include <algorithm>

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

/// One connection of an agent; what it sends is numbered.
struct peer {
  explicit peer(agentsim::agent_identity who, agentsim::agent_options with)
      : machine{std::move(who), with} {}
  ~peer() { hang_up(); }
  void hang_up() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  agentsim::sim_agent machine;
  int fd = -1;
  std::uint64_t token = 0;
  std::uint64_t lines = 0;
};

class Behaviour : public ::testing::Test {
protected:
  void SetUp() override {
    if (std::filesystem::is_directory("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
    dir = std::make_unique<testing::scratch_directory>();
    virtual_time::start(1'764'400'000'000);
  }

  static agentsim::agent_identity identity(std::size_t number) {
    return {to_text(static_cast<agent_id>(number)), "agent-" + std::to_string(number), "any",
            std::string(64, static_cast<char>('a' + number % 20))};
  }
  void start(node_shape shape, std::size_t agents = 1) {
    for (std::size_t i = 1; i <= agents; ++i)
      harness::seed_agent(dir->path(), identity(i));
    std::filesystem::rename(dir->path() / "data/state", dir->path() / "state");
    node = std::make_unique<simulated_node>(dir->path(), shape, small_ruleset(), journal);
    node->run_all();
  }
  /// A little pool; overflow as wanted.
  static node_shape little(std::uint64_t overflow_bytes = 0) {
    node_shape shape;
    shape.segments = 64;
    shape.quota = 64;
    shape.shards = 1;
    shape.batch_records = 8;
    shape.overflow_bytes = overflow_bytes;
    return shape;
  }
  static agentsim::agent_options silent() {
    agentsim::agent_options options;
    options.announces_start = false;
    options.timing.notify_ms = 0; // no keep-alives: acknowledgements come by themselves or not at all
    return options;
  }
  std::unique_ptr<peer> connect(std::size_t number, agentsim::agent_options with = silent()) {
    auto one = std::make_unique<peer>(identity(number), with);
    dial(*one);
    return one;
  }
  void dial(peer& one) {
    one.machine.start(virtual_time::now_ms());
    one.fd = node->connect(one.token);
    one.machine.on_connected(virtual_time::now_ms());
    turn(one);
    turn(one);
  }
  /// Gives and takes all that goes at this instant.
  void turn(peer& one) {
    if (one.fd < 0) return;
    while (one.machine.unsent() > 0) {
      auto put = ::send(one.fd, one.machine.output.data() + one.machine.output_sent, one.machine.unsent(),
                        MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put <= 0) break;
      one.machine.output_sent += static_cast<std::size_t>(put);
    }
    one.machine.trim_output();
    node->step_io();
    node->run_all();
    node->step_io();
    std::byte bytes[16'384];
    auto got = ::recv(one.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) one.machine.on_bytes({bytes, static_cast<std::size_t>(got)}, virtual_time::now_ms());
    if (got == 0) one.hang_up();
  }
  void pass(std::int64_t ms, const std::vector<peer*>& peers) {
    for (; ms > 0; ms -= 100) {
      virtual_time::advance(100);
      node->advance(100);
      node->run_all();
      for (auto* one : peers)
        turn(*one);
    }
  }
  void send(peer& one, std::uint64_t lines, std::size_t padding = 300) {
    for (; lines > 0; --lines)
      one.machine.send_message("1:/var/log/app.log:Nov 29 13:00:00 host app[1]: " + noise(padding)
                               + agentsim::number_suffix("sim", one.machine.who().id, ++one.lines));
  }
  /// Does not compress.
  std::string noise(std::size_t bytes) {
    std::string text(bytes, ' ');
    for (auto& c : text)
      c = static_cast<char>('!' + random() % 90);
    return text;
  }
  bool waits() const {
    const auto& gauge = node->counts->ingest_waiting_connections;
    return gauge.value_for("paused") + gauge.value_for("throttled") > 0;
  }
  /// Sends until the node reads no more.
  void fill(peer& one) {
    for (int i = 0; i < 200 && !waits(); ++i) {
      send(one, 10);
      turn(one);
    }
    ASSERT_TRUE(waits());
  }
  /// And until there is no room at all.
  void fill_to_the_last(peer& one) {
    for (int i = 0; i < 200 && node->intake->pressure_now() != pressure::stop; ++i) {
      send(one, 20);
      pass(1'000, {&one});
    }
    ASSERT_EQ(node->intake->pressure_now(), pressure::stop);
    send(one, 20);
    pass(100, {&one});
    ASSERT_TRUE(waits());
  }
  void expect_all(const std::vector<const peer*>& peers) {
    auto judged = journal->written.judge({});
    EXPECT_EQ(judged.out_of_order, 0u) << to_string(judged);
    for (const auto* one : peers)
      for (std::uint64_t n = 1; n <= one->lines; ++n)
        ASSERT_TRUE(journal->written.has(one->machine.who().id, n)) << n;
  }

  std::unique_ptr<testing::scratch_directory> dir;
  std::shared_ptr<simulated_journal> journal = std::make_shared<simulated_journal>();
  std::unique_ptr<simulated_node> node;
  std::mt19937 random{5};
};

TEST_F(Behaviour, B1_AcknowledgementsComeByTimerWhileReadingIsPaused) {
  start(little());
  auto agent = connect(1);
  ASSERT_EQ(agent->machine.counts().connects, 1u);
  journal->failing = true;
  fill_to_the_last(*agent);
  auto before = agent->machine.counts().acks;
  pass(120'000, {agent.get()});
  EXPECT_GE(agent->machine.counts().acks, before + 10) << "one every ten seconds";
  EXPECT_TRUE(waits());
  journal->failing = false;
  pass(5'000, {agent.get()});
  expect_all({agent.get()});
}

TEST_F(Behaviour, B1_AndWhileRecordsWaitInTheOverflow) {
  start(little(64 << 20U));
  auto agent = connect(1);
  journal->failing = true;
  send(*agent, 400);
  turn(*agent);
  EXPECT_FALSE(waits());
  auto before = agent->machine.counts().acks;
  pass(60'000, {agent.get()});
  EXPECT_GE(agent->machine.counts().acks, before + 4);
  journal->failing = false;
  pass(5'000, {agent.get()});
  expect_all({agent.get()});
}

TEST_F(Behaviour, B2_AnAcknowledgementGoesOutBeforeReadingGoesOn) {
  start(little());
  auto agent = connect(1);
  journal->failing = true;
  fill_to_the_last(*agent);
  pass(15'000, {agent.get()});
  auto sent = node->counts->session_acks_total.value();
  journal->failing = false;
  pass(1'100, {agent.get()}); // the sink tries again each second
  EXPECT_FALSE(waits());
  EXPECT_EQ(node->counts->session_acks_total.value(), sent + 1);
}

TEST_F(Behaviour, B3_ATrickleIsReadWhileThereIsAnyRoom) {
  start(little(300 << 10U));
  auto agent = connect(1);
  journal->failing = true;
  fill(*agent);
  ASSERT_EQ(node->intake->pressure_now(), pressure::scarce);
  send(*agent, 100);
  auto before = node->counts->ingest_bytes_total.value();
  pass(5'000, {agent.get()});
  auto taken = node->counts->ingest_bytes_total.value() - before;
  EXPECT_GE(taken, 4 * 4'096.0 * 0.8);
  EXPECT_LE(taken, 6 * 4'096.0);
  // Until there is none at all.
  for (int i = 0; i < 60 && node->intake->pressure_now() != pressure::stop; ++i) {
    send(*agent, 20);
    pass(1'000, {agent.get()});
  }
  EXPECT_EQ(node->intake->pressure_now(), pressure::stop);
  before = node->counts->ingest_bytes_total.value();
  pass(3'000, {agent.get()});
  EXPECT_EQ(node->counts->ingest_bytes_total.value(), before);
  journal->failing = false;
  pass(10'000, {agent.get()});
  expect_all({agent.get()});
}

TEST_F(Behaviour, B3_TheSameForEachOfMany) {
  start(little(300 << 10U), 8);
  std::vector<std::unique_ptr<peer>> agents;
  std::vector<peer*> all;
  for (std::size_t i = 1; i <= 8; ++i) {
    agents.push_back(connect(i));
    all.push_back(agents.back().get());
  }
  journal->failing = true;
  fill(*all[0]); // one loud agent has used up the overflow
  std::map<std::uint64_t, std::uint64_t> before;
  auto taken = [&] {
    std::map<std::uint64_t, std::uint64_t> by_connection;
    auto rows = store::connection_counts::read(dir->path() / "run/connections");
    for (const auto& row : *rows)
      by_connection[row.connection] = row.records;
    return by_connection;
  };
  for (auto* one : all)
    send(*one, 100);
  before = taken();
  pass(2'000, all);
  auto after = taken();
  for (auto* one : all) {
    EXPECT_GE(after[one->token] - before[one->token], 8u) << one->machine.who().id;
    EXPECT_LE(after[one->token] - before[one->token], 40u) << one->machine.who().id;
  }
  journal->failing = false;
  pass(10'000, all);
}

TEST_F(Behaviour, B5_APauseOfMoreThanHalfAMinuteIsCountedAndSaid) {
  start(little());
  auto agent = connect(1);
  journal->failing = true;
  fill_to_the_last(*agent);
  auto before_s = node->counts->ingest_paused_seconds_total.value();
  pass(25'000, {agent.get()});
  EXPECT_EQ(node->counts->ingest_long_pauses_total.value(), 0);
  pass(10'000, {agent.get()});
  EXPECT_EQ(node->counts->ingest_long_pauses_total.value(), 1) << "while it lasts: somebody may still help";
  EXPECT_GE(node->counts->ingest_paused_seconds_total.value() - before_s, 30);
  auto resumed = node->log->count(log_event::ingest_resumed);
  journal->failing = false;
  pass(2'000, {agent.get()});
  EXPECT_EQ(node->counts->ingest_long_pauses_total.value(), 1) << "once";
  EXPECT_GE(node->counts->ingest_paused_seconds_total.value() - before_s, 35);
  EXPECT_EQ(node->log->count(log_event::ingest_long_pause), 1u);
  EXPECT_GT(node->log->count(log_event::ingest_resumed), resumed);
}

TEST_F(Behaviour, B7_AnAgentMaySendItsBacklogAtItsOwnRateAfterwards) {
  start(little(64 << 20U));
  auto agent = connect(1);
  journal->failing = true;
  send(*agent, 50);
  pass(20'000, {agent.get()});
  journal->failing = false;
  for (int second = 0; second < 10; ++second) {
    send(*agent, 500);
    pass(1'000, {agent.get()});
  }
  pass(2'000, {agent.get()});
  EXPECT_EQ(node->counts->ingest_throttles_total.value() + node->counts->ingest_pauses_total.value(), 0);
  expect_all({agent.get()});
}

TEST_F(Behaviour, T2_ABacklogOfDeadConnectionsIsReadOldestFirst) {
  start(little());
  auto blocker = connect(1);
  journal->failing = true;
  fill_to_the_last(*blocker);
  // Nothing is read any more: the agent's connections pile up, each with lines behind its start-up.
  auto options = silent();
  std::vector<std::unique_ptr<peer>> tries;
  std::uint64_t lines = blocker->lines;
  auto last = blocker.get();
  for (int i = 0; i < 3; ++i) {
    options.first_counters = {static_cast<std::uint32_t>(1'000 + i), 1};
    last->hang_up();
    tries.push_back(std::make_unique<peer>(identity(1), options));
    last = tries.back().get();
    last->lines = lines;
    dial(*last);
    pass(500, {last});
    if (last->machine.now() == agentsim::sim_agent::phase::connected) send(*last, 5);
    lines = last->lines;
    pass(500, {last});
  }
  journal->failing = false;
  pass(15'000, {last});
  auto judged = journal->written.judge({});
  EXPECT_EQ(judged.out_of_order, 0u) << to_string(judged);
  EXPECT_EQ(judged.found, lines) << to_string(judged);
}

TEST_F(Behaviour, L2_SilenceWhileWeDoNotReadIsNotTheAgents) {
  start(little());
  auto agent = connect(1);
  journal->failing = true;
  fill_to_the_last(*agent);
  pass(90'000, {agent.get()});
  // A clone with counters of its own, lower ones, tries to take the place of an agent that only waits for us.
  auto clone = connect(1);
  EXPECT_EQ(clone->machine.counts().refusals, 1u);
  EXPECT_EQ(clone->machine.counts().connects, 0u);
  journal->failing = false;
  pass(2'000, {agent.get(), clone.get()});
  EXPECT_GE(agent->fd, 0) << "the agent is still connected";
  expect_all({agent.get()});
}

TEST_F(Behaviour, AConnectionThatIsTakenOverWhileItWaitsWaitsOnce) {
  start(little());
  auto agent = connect(1);
  journal->failing = true;
  fill_to_the_last(*agent);
  auto waiting = [&] {
    const auto& gauge = node->counts->ingest_waiting_connections;
    return gauge.value_for("paused") + gauge.value_for("throttled");
  };
  EXPECT_EQ(waiting(), 1);
  auto options = silent();
  options.first_counters = {100'000, 1};
  auto newer = connect(1, options);
  pass(3'000, {newer.get()});
  EXPECT_EQ(waiting(), 1) << "it stands in the ring once";
  agent->hang_up();
  journal->failing = false;
  pass(15'000, {newer.get()});
  EXPECT_EQ(waiting(), 0);
  expect_all({agent.get()});
}

TEST_F(Behaviour, AnAgentsLimitHoldsOverItsConnections) {
  auto shape = little(64 << 20U);
  shape.events_per_second = 10;
  start(shape);
  std::uint64_t taken = 0;
  auto options = silent();
  for (std::uint32_t i = 0; i < 4; ++i) {
    options.first_counters = {1'000 + i, 1};
    auto one = connect(1, options);
    send(*one, 200);
    pass(1'000, {one.get()});
    taken = static_cast<std::uint64_t>(node->counts->ingest_records_total.value());
  }
  EXPECT_LE(taken, 100u + 4 * 10 + 20) << "ten seconds' worth once, not for each connection";
}

TEST_F(Behaviour, P2_AStormOfConnectionsIsAcknowledgedAtOnce) {
  start(little(64 << 20U), 300);
  std::vector<std::unique_ptr<peer>> storm;
  for (std::size_t i = 1; i <= 300; ++i) {
    storm.push_back(std::make_unique<peer>(identity(i), silent()));
    storm.back()->machine.start(virtual_time::now_ms());
    storm.back()->fd = node->connect(storm.back()->token);
    storm.back()->machine.on_connected(virtual_time::now_ms());
  }
  std::vector<peer*> all;
  for (auto& one : storm)
    all.push_back(one.get());
  pass(1'000, all);
  for (auto* one : all)
    EXPECT_EQ(one->machine.counts().connects, 1u) << one->machine.who().id;
}

} // namespace
} // namespace picket::simulation
