// A real node between good agents and bad neighbours. Whatever those do: good agents lose nothing, none of
// them has to connect again, others can still join, memory stays bounded, and what was refused is counted and
// said without flooding the log. PICKET_HOSTILE_SECONDS sets how long each attack lasts (0.8).

#include <cstdlib>
#include <fstream>
#include <future>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/agentsim/enrollment_client.hpp"
#include "cluster-tests/agentsim/simulator.hpp"
#include "cluster-tests/agentsim/verify.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "cluster-tests/hostile/attacker.hpp"
#include "picket_paths.hpp"

namespace picket {
namespace {

using harness::settings;

constexpr std::size_t good_agents = 8;
constexpr std::size_t late_agents = 4;
constexpr double good_rate_per_s = 200;
constexpr std::uint64_t memory_growth_max_bytes = 96U << 20U;
constexpr std::int64_t attack_ms_max = 30'000; ///< on a machine that has no time
constexpr std::ptrdiff_t log_lines_max = 500;
constexpr std::ptrdiff_t log_lines_max_per_s = 200;

std::int64_t attack_ms() {
  const char* text = std::getenv("PICKET_HOSTILE_SECONDS");
  return static_cast<std::int64_t>((text != nullptr ? std::atof(text) : 0.8) * 1'000);
}

/// Sum of series; written as on the page without `picket_`.
using series_list = std::vector<std::string>;

struct hostile_case {
  const char* attack;
  settings with;
  series_list counted;    ///< of these …
  double at_least = 1;    ///< … together so many
  std::string log_event;  ///< is said; empty: nothing need be
  bool cloned = false;    ///< the alert on a clone comes
  bool enrolls = false;   ///< a new agent gets its key meanwhile
  const char* from = "";  ///< first address of the good agents; empty: that of the attacker
  const char* title = ""; ///< where one attack has several cases
  series_list never;      ///< stay 0
};

std::string title_of(const ::testing::TestParamInfo<hostile_case>& info) {
  std::string title = std::string{info.param.attack} + info.param.title;
  std::replace(title.begin(), title.end(), '-', '_');
  return title;
}

void PrintTo(const hostile_case& one, std::ostream* out) { *out << one.attack << one.title; }

std::uint64_t memory_bytes(pid_t pid) {
  std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

struct stop_all {
  std::function<void()> stop;
  ~stop_all() { stop(); }
};

class Hostile : public ::testing::TestWithParam<hostile_case> {
protected:
  void SetUp() override {
    for (int i = 0; i < 20; ++i) {
      agentsim::agent_identity who;
      who.id = std::to_string(101 + i);
      who.name = "neighbour-" + who.id;
      who.address = "any";
      who.key = std::string(60, 'k') + who.id;
      harness::seed_agent(dir.path(), who);
      identities.push_back(who);
    }
    node = std::make_unique<harness::node_process>(dir.path(), GetParam().with);
    auto started = node->start();
    ASSERT_TRUE(started) << to_string(started.error());
    at.agents = node->agents();
    at.enrollment = node->enrollment();
    at.api = agentsim::resolve(node->api_text()).value();
    at.health = agentsim::resolve(node->health_text()).value();
    at.insider = identities[18];
    at.victim = GetParam().attack == std::string{"clone-with-counters"} ? identities[19] : identities[0];
  }

  /// Simulated agents with identities from `first` on.
  std::unique_ptr<agentsim::simulator> agents(std::size_t first, std::size_t number, std::int64_t duration_ms,
                                              const std::string& run) {
    auto keys = dir.path() / (run + ".keys");
    std::ofstream out{keys};
    for (auto i = first; i < first + number; ++i)
      out << identities[i].id << ' ' << identities[i].name << " any " << identities[i].key << '\n';
    out.close();
    agentsim::sim_options options;
    options.agents = number;
    options.keys_file = keys.string();
    options.servers = {node->agents_text()};
    options.source = GetParam().from;
    options.files = {std::string{PICKET_SOURCE_DIR} + "/config/samples/auth.log=/var/log/auth.log"};
    options.rate_per_s = good_rate_per_s;
    options.duration_ms = duration_ms;
    options.lines_per_agent = 1'000'000;
    options.timeout_ms = duration_ms + 60'000;
    options.number = true;
    options.run = run;
    options.agent.timing.notify_ms = 300;
    auto made = std::make_unique<agentsim::simulator>(options);
    auto prepared = made->prepare();
    EXPECT_TRUE(prepared) << (prepared ? "" : to_string(prepared.error()));
    return made;
  }

  /// What the agents themselves say, and what the node has of it.
  void expect_unharmed(agentsim::simulator& sim, const result<agentsim::sim_report>& report,
                       const std::string& run) {
    ASSERT_TRUE(report) << to_string(report.error());
    EXPECT_FALSE(report->timed_out) << run;
    EXPECT_EQ(report->connected, report->agents) << run;
    EXPECT_EQ(report->totals.connects, report->agents) << run << ": an agent had to connect again";
    EXPECT_EQ(report->totals.startups, report->agents) << run;
    EXPECT_EQ(report->totals.lost_connections, 0u) << run;
    EXPECT_EQ(report->totals.bad_records, 0u) << run;
    EXPECT_GT(report->sent, 0u) << run;
    agentsim::verifier checker{run};
    agentsim::file_follower follower{node->archives_file()};
    auto read = follower.read_on(checker);
    ASSERT_TRUE(read) << to_string(read.error());
    auto found = checker.judge(sim.sent_by_agent());
    EXPECT_TRUE(found.good()) << run << ": " << agentsim::to_string(found);
    EXPECT_EQ(found.found, report->sent) << run;
  }

  double sum(const series_list& all) const {
    double value = 0;
    for (const auto& one : all)
      value += node->metric("picket_" + one);
    return value;
  }

  bool has_clone_alert() const {
    auto alerts = node->alerts();
    return std::any_of(alerts.begin(), alerts.end(), [&](const auto& one) {
      return one["rule"]["id"] == "905006" && one["agent"]["id"] == at.victim.id;
    });
  }

  /// Real agents come back when an enrollment did not work; so does this one.
  bool enrolls(const std::string& name) {
    agentsim::tls_client_context tls;
    return harness::eventually(
        [&] {
          auto answer = agentsim::exchange_line(tls, node->enrollment(), "OSSEC A:'" + name + "'\n", 5'000);
          return answer && answer->rfind("OSSEC K:'", 0) == 0;
        },
        std::chrono::seconds{10});
  }

  testing::scratch_directory dir;
  std::unique_ptr<harness::node_process> node;
  std::vector<agentsim::agent_identity> identities;
  hostile::target at;
};

TEST_P(Hostile, GoodAgentsAreUnharmed) {
  const auto& is = GetParam();
  const auto* attack = hostile::find_attack(is.attack);
  ASSERT_NE(attack, nullptr);
  auto early = agents(0, good_agents, attack_ms_max + 60'000, "early");
  auto late = agents(good_agents, late_agents, attack_ms() / 2, "late");
  const auto began_ms = steady_clock_ms();
  hostile::attacker by{at, began_ms + attack_ms_max, attack->per_s, attack->sockets};
  // Also if an assertion leaves this test: everybody stops, then the futures can end.
  std::future<result<agentsim::sim_report>> early_run, late_run;
  std::future<void> attack_run;
  const stop_all at_the_end{[&] {
    by.stop();
    early->stop();
    late->stop();
  }};
  early_run = std::async(std::launch::async, [&] { return early->run(); });
  ASSERT_TRUE(harness::eventually([&] { return early->sent_so_far() >= good_agents; }));
  const auto memory_before = memory_bytes(node->pid());
  attack_run = std::async(std::launch::async, [&] { attack->run(by); });
  // From the attacker's own address, in the midst of it.
  ASSERT_TRUE(harness::eventually(
      [&] { return by.counts.connections >= std::min<std::size_t>(20, attack->sockets); }));
  late_run = std::async(std::launch::async, [&] { return late->run(); });
  if (is.enrolls) {
    EXPECT_TRUE(enrolls("newcomer"));
  }
  EXPECT_EQ(node->health("/health/live"), 200) << "while the attack runs";
  auto late_report = late_run.get();
  // For its time, and until it has been refused often enough.
  EXPECT_TRUE(harness::eventually(
      [&] { return steady_clock_ms() >= began_ms + attack_ms() && sum(is.counted) >= is.at_least; },
      std::chrono::milliseconds{attack_ms_max}))
      << ::testing::PrintToString(is.counted) << " came to " << sum(is.counted);
  by.stop();
  attack_run.get();
  const auto memory_after = memory_bytes(node->pid());
  early->stop();
  auto early_report = early_run.get();
  const auto lasted_s = (steady_clock_ms() - began_ms) / 1'000 + 1;

  EXPECT_TRUE(harness::eventually([&] { return node->health("/health/live") == 200; }))
      << "behind the attack";
  EXPECT_EQ(sum(is.never), 0) << ::testing::PrintToString(is.never);
  if (!is.log_event.empty()) {
    EXPECT_TRUE(node->has_logged("event=" + is.log_event)) << node->log();
  }
  if (is.cloned) {
    EXPECT_TRUE(harness::eventually([&] { return has_clone_alert(); }));
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(memory_after, memory_before + memory_growth_max_bytes);
#else
  static_cast<void>(memory_before + memory_after);
#endif
  EXPECT_EQ(node->stop(), 0);
  auto log = node->log();
  EXPECT_LT(std::count(log.begin(), log.end(), '\n'), log_lines_max + lasted_s * log_lines_max_per_s);
  expect_unharmed(*early, early_report, "early");
  expect_unharmed(*late, late_report, "late");
}

series_list refused(const char* reason) {
  return {std::string{"ingest_refused_connections_total{reason=\""} + reason + "\"}"};
}
series_list enrollment_refused(const char* reason) {
  return {std::string{"enrollment_refused_connections_total{reason=\""} + reason + "\"}"};
}
series_list bad(std::initializer_list<const char*> reasons) {
  series_list all;
  for (auto reason : reasons)
    all.push_back(std::string{"ingest_bad_records_total{reason=\""} + reason + "\"}");
  return all;
}
series_list enrollment_closed(const char* reason) {
  return {std::string{"enrollment_closed_total{reason=\""} + reason + "\"}"};
}
series_list http_refused(const char* reason) {
  return {std::string{"http_refused_total{reason=\""} + reason + "\"}"};
}
series_list startups(const char* outcome) {
  return {std::string{"session_startups_total{outcome=\""} + outcome + "\"}"};
}

hostile_case on(const char* attack, settings with, series_list counted, double at_least,
                std::string log_event = {}) {
  hostile_case made;
  made.attack = attack;
  made.with = std::move(with);
  made.counted = std::move(counted);
  made.at_least = at_least;
  made.log_event = std::move(log_event);
  return made;
}

std::vector<hostile_case> agent_port_cases() {
  std::vector<hostile_case> all = {
      on("slow-loris", {{"ingest.max_unverified_per_address", "200"}}, refused("unverified"), 20,
         "connections-refused"),
      on("silent", {{"ingest.handshake_timeout_ms", "300"}},
         {"ingest_closed_connections_total{reason=\"deadline\"}"}, 20),
      on("half-frames", {{"ingest.max_unverified_bytes", "1048576"}}, refused("unverified"), 20,
         "connections-refused"),
      on("bad-lengths", {}, bad({"bad_frame"}), 50, "record-refused"),
      on("flood-one-address", {},
         {"ingest_closed_connections_total{reason=\"reset\"}",
          "ingest_closed_connections_total{reason=\"by_peer\"}"},
         100),
      on("flood-one-address", {{"ingest.new_connections_per_address_per_s", "20"}}, refused("rate"), 20,
         "connections-refused"),
      on("flood-many-addresses", {{"ingest.new_connections_per_address_per_s", "20"}},
         {"ingest_closed_connections_total{reason=\"reset\"}",
          "ingest_closed_connections_total{reason=\"by_peer\"}"},
         100),
      on("hoard", {{"ingest.max_connections", "300"}}, refused("unverified"), 20, "connections-refused"),
      on("hoard",
         {{"ingest.max_connections_per_address", "200"},
          {"ingest.max_connections", "300"},
          {"ingest.io_threads", "3"}},
         refused("unverified"), 20, "connections-refused"),
      on("pings", {}, bad({"bad_frame"}), 5, "record-refused"),
  };
  all[5].from = "127.77.0.1";
  all[5].title = "-limited";
  all[8].title = "-several-threads";
  return all;
}

std::vector<hostile_case> record_cases() {
  const settings penalty{{"ingest.bad_records_per_minute", "20"}, {"ingest.bad_records_penalty_s", "60"}};
  std::vector<hostile_case> all = {
      on("unknown-ids", {}, bad({"unknown_agent"}), 100, "record-refused"),
      on("wrong-key", {}, bad({"wrong_key", "bad_padding", "bad_compression"}), 100, "record-refused"),
      on("wrong-key", penalty, refused("penalty"), 50, "connections-refused"),
      on("wrong-key", penalty, bad({"wrong_key", "bad_padding", "bad_compression"}), 100, "record-refused"),
      on("wrong-digest", {}, bad({"bad_checksum"}), 50, "record-refused"),
      on("bombs", {}, bad({"too_large"}), 20, "record-refused"),
      on("insider-garbage", {}, bad({"bad_tag"}), 10, "record-refused"),
      on("replays", {}, startups("refused_in_use"), 50, "agent-refused"),
      on("replays", {{"agents.check_counters", "yes"}}, bad({"repeated"}), 20, "record-refused"),
      on("clone", {}, startups("refused_in_use"), 10, "agent-cloned"),
      on("clone-with-counters", {}, startups("refused_in_use"), 5, "agent-cloned"),
      on("refused-hoard", {{"ingest.max_refused", "16"}}, refused("refused"), 50, "connections-refused"),
  };
  all[2].from = "127.77.0.1";
  all[2].title = "-penalty";
  all[3].title = "-behind-the-same-address";
  all[3].never = refused("penalty");
  all[8].title = "-checked";
  all[9].cloned = all[10].cloned = true;
  return all;
}

std::vector<hostile_case> enrollment_cases() {
  std::vector<hostile_case> all = {
      on("slow-handshake", {{"enrollment.max_exchanges", "200"}}, enrollment_refused("unverified"), 20,
         "connections-refused"),
      on("silent-after-tls", {{"enrollment.max_exchanges", "50"}}, enrollment_refused("unverified"), 10,
         "connections-refused"),
      on("plain-text", {}, enrollment_closed("tls"), 50, "enrollment-tls-failed"),
      on("old-tls", {}, enrollment_closed("tls"), 20, "enrollment-tls-failed"),
      on("huge-hello", {}, enrollment_closed("tls"), 10, "enrollment-tls-failed"),
      on("renegotiation", {}, enrollment_closed("tls"), 5),
      on("handshake-rubbish", {}, enrollment_closed("tls"), 20, "enrollment-tls-failed"),
      on("same-name", {}, {"enrollment_requests_total{outcome=\"refused\"}"}, 20, "enrollment-refused"),
      on("endless-line", {}, enrollment_closed("by_us"), 5),
      on("many-names", {{"enrollment.exchanges_per_minute", "30"}}, enrollment_refused("rate"), 10,
         "connections-refused"),
      on("many-names", {{"enrollment.exchanges_per_address_per_minute", "30"}}, enrollment_refused("rate"),
         10, "connections-refused"),
  };
  for (auto& one : all)
    one.enrolls = one.attack != std::string{"many-names"};
  all[10].title = "-of-one-address";
  return all;
}

std::vector<hostile_case> http_cases() {
  return {on("http-garbage", {}, http_refused("bad_request"), 10, "http-refused"),
          on("http-endless", {}, http_refused("too_large"), 1, "http-refused"),
          on("http-slow", {}, http_refused("slow"), 1, "http-refused")};
}

INSTANTIATE_TEST_SUITE_P(AgentPort, Hostile, ::testing::ValuesIn(agent_port_cases()), title_of);
INSTANTIATE_TEST_SUITE_P(Records, Hostile, ::testing::ValuesIn(record_cases()), title_of);
INSTANTIATE_TEST_SUITE_P(Enrollment, Hostile, ::testing::ValuesIn(enrollment_cases()), title_of);
INSTANTIATE_TEST_SUITE_P(Http, Hostile, ::testing::ValuesIn(http_cases()), title_of);

TEST(HostileSuite, EveryAttackHasACase) {
  std::set<std::string> with_case;
  for (const auto& cases : {agent_port_cases(), record_cases(), enrollment_cases(), http_cases()})
    for (const auto& one : cases)
      with_case.insert(one.attack);
  for (auto all : {hostile::agent_port_attacks(), hostile::record_attacks(), hostile::enrollment_attacks(),
                   hostile::http_attacks()})
    for (const auto& one : all)
      EXPECT_TRUE(with_case.count(std::string{one.name}) > 0) << one.name;
}

} // namespace
} // namespace picket
