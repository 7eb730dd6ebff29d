// Whole files of real logs through a node with the stock rule set: not a line is lost, and the alerts are
// those that the live path of log-test derives from the same file (rules.md 3.5 and 9).

#include <map>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/agentsim/simulator.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/reference.hpp"
#include "engine/load/ruleset_files.hpp"
#include "engine/logtest.hpp"

namespace picket {
namespace {

struct reference_log {
  const char* name;
  std::size_t alerts; ///< by derivation from the reference's stateful answers; 0: only what log-test says
};

class ReferenceLogs : public ::testing::TestWithParam<reference_log> {
protected:
  /// Rule and line of each alert of the file, in order.
  using alerts = std::vector<std::pair<std::string, std::string>>;

  /// What the live path says of the lines as events of this agent.
  static alerts expected(const std::filesystem::path& rules_dir, const std::vector<std::string>& lines,
                         const std::string& location) {
    auto files = engine::read_ruleset_directory(rules_dir).value();
    auto compiled = engine::compile(files);
    engine::logtest_session session{compiled.ruleset, engine::analysis_path::live};
    alerts all;
    auto now_ms = wall_clock_ms();
    for (const auto& line : lines) {
      auto answer = session.run(line, location, now_ms).value();
      if (answer.alert && answer.rule) all.emplace_back(std::to_string(answer.rule->id), line);
    }
    return all;
  }
};

TEST_P(ReferenceLogs, EveryLineArrivesAndAlertsAsLogtestSays) {
  auto data = harness::reference_data();
  if (data.empty()) GTEST_SKIP() << "no reference data beside the checkout";
  testing::scratch_directory dir;
  auto rules = dir.path() / "stock";
  ASSERT_TRUE(harness::make_stock_ruleset(rules));
  auto file = data / "loghub" / (std::string{GetParam().name} + "_2k.log");
  auto lines = harness::lines_of(file);
  harness::node_process node{dir.path() / "node", {{"ruleset.dir", rules.string()}}};
  auto started = node.start();
  ASSERT_TRUE(started) << to_string(started.error());

  agentsim::sim_options options;
  options.servers = {node.agents_text()};
  options.enroll = node.enrollment_text();
  options.name_prefix = "ref-";
  options.files = {file.string() + "=/var/log/reference.log"};
  agentsim::simulator simulator{options};
  ASSERT_TRUE(simulator.prepare());
  auto report = simulator.run();
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_LT(report->seconds, 60);
  EXPECT_EQ(report->sent, lines.size());
  EXPECT_EQ(node.stop(), 0);

  std::vector<std::string> archived;
  for (auto& event : node.archives())
    if (event.value("location", "") == "/var/log/reference.log") archived.push_back(event["full_log"]);
  EXPECT_EQ(archived, lines) << "full_log is the line that was sent, in order, none lost";

  alerts got;
  for (auto& alert : node.alerts())
    if (alert.value("location", "") == "/var/log/reference.log")
      got.emplace_back(alert["rule"]["id"], alert["full_log"]);
  auto name = simulator.identities().front().name;
  auto wanted = expected(rules, lines, "[001] (" + name + ") any->/var/log/reference.log");
  EXPECT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < std::min(got.size(), wanted.size()); ++i)
    ASSERT_EQ(got[i], wanted[i]) << "alert " << i;
  if (GetParam().alerts > 0) {
    EXPECT_EQ(got.size(), GetParam().alerts);
  }
}

INSTANTIATE_TEST_SUITE_P(, ReferenceLogs,
                         ::testing::Values(reference_log{"OpenSSH", 1'241}, reference_log{"Linux", 0},
                                           reference_log{"Apache", 0}),
                         [](const auto& one) { return std::string{one.param.name}; });

} // namespace
} // namespace picket
