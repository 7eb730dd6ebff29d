// The example alert rules for Prometheus: its own tool takes them, and they name nothing that the node does
// not have.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <boost/regex.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "actors/telemetry/metrics.hpp"
#include "picket_paths.hpp"

namespace picket {
namespace {

const std::filesystem::path folder = std::filesystem::path{PICKET_SOURCE_DIR} / "config" / "prometheus";

std::string slurp(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

struct outcome {
  int code = -1;
  std::string said;
};

outcome run(const std::string& command) {
  outcome done;
  auto* out = ::popen((command + " 2>&1").c_str(), "r");
  if (out == nullptr) return done;
  char block[4'096];
  for (std::size_t got = 0; (got = std::fread(block, 1, sizeof block, out)) > 0;)
    done.said.append(block, got);
  auto status = ::pclose(out);
  done.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return done;
}

bool has_promtool() { return run("command -v promtool").code == 0; }

/// Label name and values of the table, as `reason=a|b`.
bool has_label(const metric_info& metric, const std::string& label, const std::string& value) {
  std::string labels{metric.labels};
  auto equals = labels.find('=');
  if (equals == std::string::npos || labels.substr(0, equals) != label) return false;
  std::istringstream values{labels.substr(equals + 1)};
  for (std::string one; std::getline(values, one, '|');)
    if (one == value) return true;
  return false;
}

/// Each metric that the text names exists, with the labels and values that it names. The number of them.
std::size_t check_names(const std::string& text) {
  // A metric, and what stands in braces behind it.
  const boost::regex use{R"((picket_[a-z_0-9]+)(?:\{([^}]*)\})?)"};
  const boost::regex condition{"([a-z_]+)(=~|=|!=)\"([^\"]*)\""};
  std::size_t count = 0;
  for (boost::sregex_iterator at{text.begin(), text.end(), use}, end; at != end; ++at, ++count) {
    const metric_info* metric = nullptr;
    for (const auto& one : all_metrics())
      if (one.name == (*at)[1].str()) metric = &one;
    if (metric == nullptr) {
      ADD_FAILURE() << "there is no metric " << (*at)[1].str();
      continue;
    }
    auto labels = (*at)[2].str();
    for (boost::sregex_iterator label{labels.begin(), labels.end(), condition}, last; label != last;
         ++label) {
      auto name = (*label)[1].str();
      if (name == "job" || name == "instance") continue; // of the scrape
      std::istringstream values{(*label)[3].str()};
      for (std::string value; std::getline(values, value, '|');)
        EXPECT_TRUE(has_label(*metric, name, value))
            << metric->name << "{" << name << "=\"" << value << "\"}";
    }
  }
  return count;
}

TEST(AlertRules, NameOnlyMetricsAndLabelsThatExist) {
  EXPECT_GT(check_names(slurp(folder / "picket-alerts.yml")), 25u);
  EXPECT_GT(check_names(slurp(folder / "picket-alerts-test.yml")), 10u);
}

TEST(AlertRules, EachAlertHasItsSectionInTheManual) {
  auto rules = slurp(folder / "picket-alerts.yml");
  auto manual = slurp(std::filesystem::path{PICKET_SOURCE_DIR} / "docs" / "operate.md");
  const boost::regex alert{"- alert: ([A-Za-z]+)"};
  std::set<std::string> names;
  for (boost::sregex_iterator at{rules.begin(), rules.end(), alert}, end; at != end; ++at) {
    auto name = (*at)[1].str();
    EXPECT_TRUE(names.insert(name).second) << name << " stands there twice";
    EXPECT_NE(manual.find("`" + name + "`"), std::string::npos) << "docs/operate.md does not name " << name;
  }
  EXPECT_GT(names.size(), 20u);
}

TEST(AlertRules, PromtoolTakesThem) {
  if (!has_promtool()) GTEST_SKIP() << "no promtool here; scripts/bootstrap installs it";
  auto done = run("promtool check rules '" + (folder / "picket-alerts.yml").string() + "'");
  EXPECT_EQ(done.code, 0) << done.said;
}

TEST(AlertRules, AreRaisedByWhatTheyAreFor) {
  if (!has_promtool()) GTEST_SKIP() << "no promtool here; scripts/bootstrap installs it";
  auto done = run("promtool test rules '" + (folder / "picket-alerts-test.yml").string() + "'");
  EXPECT_EQ(done.code, 0) << done.said;
}

TEST(AlertRules, EachIsRaisedByASeries) {
  auto rules = slurp(folder / "picket-alerts.yml");
  auto series = slurp(folder / "picket-alerts-test.yml");
  const boost::regex alert{"- alert: ([A-Za-z]+)"};
  for (boost::sregex_iterator at{rules.begin(), rules.end(), alert}, end; at != end; ++at) {
    auto name = (*at)[1].str();
    EXPECT_NE(series.find("alertname: " + name + "\n        exp_alerts:\n"), std::string::npos) << name;
  }
}

TEST(AlertRules, MetricsAreNamedByTheBook) {
  const std::set<std::string> subsystems{
      "ingest",   "session",    "sessions", "agents",  "enrollment", "registry", "pool",  "overflow",
      "dispatch", "deadletter", "stage",    "engine",  "journal",    "actor",    "store", "disk",
      "log",      "api",        "http",     "process", "node",       "health"};
  for (const auto& metric : all_metrics()) {
    std::string name{metric.name};
    EXPECT_EQ(name.rfind("picket_", 0), 0u) << name;
    auto bare = name.substr(7);
    EXPECT_EQ(subsystems.count(bare.substr(0, bare.find('_'))), 1u) << name;
    bool total = name.size() > 6 && name.compare(name.size() - 6, 6, "_total") == 0;
    EXPECT_EQ(total, metric.type == "counter") << name;
    EXPECT_FALSE(metric.meaning.empty()) << name;
  }
}

} // namespace
} // namespace picket
