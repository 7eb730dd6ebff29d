// Lines of which the analysis dies: the node is back at once, loses no other line, and keeps them where
// people find them. Needs a build with faults, in which a text ends the process.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "picket_paths.hpp"

namespace picket {
namespace {

using harness::eventually;
using ::testing::HasSubstr;

constexpr const char* magic = "MAGIC";
constexpr std::size_t agent_count = 20;
constexpr std::chrono::seconds longest_start{20}; // a start takes a fraction of one; sanitizers are slow
constexpr std::chrono::seconds patience{90};

/// Follows a file of JSON lines.
class follower {
public:
  explicit follower(std::filesystem::path file)
      : file_{std::move(file)} {}

  void read_on(const std::function<void(const nlohmann::json&)>& take) {
    std::ifstream in{file_};
    in.seekg(offset_);
    for (std::string line; std::getline(in, line) && !in.eof();) {
      offset_ += static_cast<std::streamoff>(line.size() + 1);
      take(nlohmann::json::parse(line, nullptr, false));
    }
  }

private:
  std::filesystem::path file_;
  std::streamoff offset_ = 0;
};

class CrashRecovery : public ::testing::Test {
protected:
  void SetUp() override {
    PICKET_NEEDS_FAULTS();
    for (std::size_t i = 1; i <= agent_count; ++i) {
      agentsim::agent_identity who{to_text(static_cast<agent_id>(i)), "host-" + std::to_string(i), "any",
                                   std::string(64, static_cast<char>('a' + i))};
      harness::seed_agent(dir.path(), who);
      identities.push_back(who);
    }
    node.faults = {{"crash-on", magic}};
    ASSERT_TRUE(node.start());
  }

  void connect() {
    agents.clear();
    for (const auto& who : identities) {
      agents.push_back(std::make_unique<agentsim::blocking_agent>(who));
      ASSERT_TRUE(agents.back()->connect(node.agents()));
      ASSERT_TRUE(agents.back()->startup());
    }
  }

  /// Waits for a condition as a service manager would: starts the node again whenever it has died.
  bool supervised(const std::function<bool()>& condition) {
    return eventually(
        [&] {
          if (!node.running()) {
            ++deaths;
            auto began = std::chrono::steady_clock::now();
            // What it had read runs at once, so it may die before it serves.
            if (!node.start()) return false;
            EXPECT_LT(std::chrono::steady_clock::now() - began, longest_start);
          }
          return condition();
        },
        patience);
  }

  void look_at_archives() {
    archives.read_on([&](const nlohmann::json& event) {
      auto text = event.value("full_log", "");
      // What was written when the process died may be written again, with the same id.
      auto first = texts_by_id.emplace(event.value("id", ""), text);
      EXPECT_EQ(first.first->second, text) << "an id names one line for ever";
      if (first.second && text.rfind("line ", 0) == 0) arrived[event["agent"]["id"]].push_back(text);
    });
  }

  std::size_t letters() const { return static_cast<std::size_t>(node.metric("picket_deadletter_letters")); }

  /// What `picketctl deadletter list` shows.
  nlohmann::json listed() const {
    auto command = std::string{PICKET_BINARY_DIR "/picketctl --json --insecure --url https://"}
                   + node.api_text() + " --token-file " + (node.directory() / "data" / "api.token").string()
                   + " deadletter list";
    std::string text;
    auto* pipe = ::popen(command.c_str(), "r");
    char part[4'096];
    for (std::size_t got = 0; (got = std::fread(part, 1, sizeof part, pipe)) > 0;)
      text.append(part, got);
    EXPECT_EQ(::pclose(pipe), 0);
    return nlohmann::json::parse(text, nullptr, false)["affected_items"];
  }

  nlohmann::json letter(const std::string& id) const {
    auto answer = node.api("GET", "/picket/deadletter/" + id);
    return answer ? (*answer)["data"]["affected_items"][0] : nlohmann::json{};
  }

  testing::scratch_directory dir;
  harness::node_process node{dir.path(), {{"engine.shards", "4"}, {"engine.executors", "2"}}};
  follower archives{node.archives_file()};
  std::vector<agentsim::agent_identity> identities;
  std::vector<std::unique_ptr<agentsim::blocking_agent>> agents;
  std::map<std::string, std::vector<std::string>> arrived; ///< by agent, in the order of the file
  std::map<std::string, std::string> texts_by_id;
  std::size_t deaths = 0;
};

/// All are read before the first is analysed, so none can be lost in a socket when the node dies.
TEST_F(CrashRecovery, TwentyAgentsThatKillTheNodeAgainAndAgainLoseNoOtherLine) {
  constexpr std::size_t rounds = 4;
  constexpr std::size_t lines = 12; // of an agent in a round
  std::set<std::string> fatal;
  std::size_t good = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    connect();
    auto before = node.metric("picket_ingest_records_total");
    ASSERT_TRUE(node.set_fault("executor-sleep-ms", "600000"));
    for (std::size_t i = 0; i < lines; ++i)
      for (auto& agent : agents) {
        auto number = agent->who().id + ":" + std::to_string(round * lines + i);
        bool kills = i % 6 == 4; // two lines of each agent
        auto text = kills ? std::string{magic} + " " + number : "line " + number;
        ASSERT_TRUE(agent->send_event("/var/log/x", text));
        if (kills)
          fatal.insert(text);
        else
          ++good;
      }
    auto wanted = before + static_cast<double>(lines * agent_count);
    ASSERT_TRUE(eventually([&] { return node.metric("picket_ingest_records_total") >= wanted; }));
    static_cast<void>(node.set_fault("executor-sleep-ms", "off")); // it may die before it has answered
    EXPECT_TRUE(supervised([&] {
      look_at_archives();
      std::size_t count = 0;
      for (const auto& [agent, texts] : arrived)
        count += texts.size();
      return count >= good && letters() >= fatal.size();
    })) << "round "
        << round << ", " << letters() << " of " << fatal.size() << " letters";
  }
  EXPECT_GE(deaths, 2u) << "it was meant to die";
  EXPECT_EQ(node.stop(), 0);
  ASSERT_TRUE(node.start());
  look_at_archives();
  for (const auto& who : identities) {
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < rounds * lines; ++i)
      if (i % 6 != 4) expected.push_back("line " + who.id + ":" + std::to_string(i));
    EXPECT_EQ(arrived[who.id], expected) << "each once, and in order";
  }
  std::set<std::string> kept;
  for (const auto& one : listed()) {
    auto whole = letter(one["id"]);
    kept.insert(whole.value("text", ""));
    EXPECT_EQ(one.value("reason", ""), "signal 6");
    EXPECT_EQ(one.value("examined", false), true);
    EXPECT_THAT(whole.value("text", ""), HasSubstr(" " + one.value("agent", "") + ":"));
  }
  EXPECT_EQ(kept, fatal);
  std::set<std::string> alarmed;
  for (const auto& alert : node.alerts())
    if (alert["rule"]["id"] == "905070") alarmed.insert(alert["agent"]["id"]);
  EXPECT_EQ(alarmed.size(), agent_count) << "an alert for each agent";
  std::printf("%zu deaths, %zu letters\n", deaths, kept.size());
}

TEST_F(CrashRecovery, TheSameLineKillsTheNodeTwiceAndNeverAgain) {
  connect();
  auto& agent = *agents.front();
  ASSERT_TRUE(agent.send_event("/var/log/x", std::string{magic} + " as ever"));
  ASSERT_TRUE(supervised([&] { return letters() == 1; }));
  EXPECT_EQ(deaths, 2u);
  connect();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(agents[i % agent_count]->send_event("/var/log/y", std::string{magic} + " as ever"));
    ASSERT_TRUE(agents[i % agent_count]->send_event("/var/log/y", "line " + std::to_string(i)));
  }
  EXPECT_TRUE(supervised([&] {
    look_at_archives();
    std::size_t count = 0;
    for (const auto& [id, texts] : arrived)
      count += texts.size();
    return count == 50;
  }));
  EXPECT_EQ(deaths, 2u);
  auto list = listed();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].value("seen_again", 0), 50);
  auto id = list[0].value("id", "");
  // An operator who has mended the defect has it analysed: here it is as fatal as before.
  static_cast<void>(
      node.api("PUT", "/picket/deadletter/retry?letters_list=" + id)); // or dies before it answers
  // The old letter may be there as well, if the node died between taking the line and letting go of it.
  EXPECT_TRUE(supervised([&] {
    auto answer = node.api("GET", "/picket/deadletter");
    if (!answer || deaths != 4) return false;
    const auto& items = (*answer)["data"]["affected_items"];
    return std::any_of(items.begin(), items.end(),
                       [&](const auto& one) { return one.value("id", "") != id; });
  }));
  // And without the defect it goes through.
  node.faults.clear();
  EXPECT_EQ(node.stop(), 0);
  ASSERT_TRUE(node.start());
  ASSERT_TRUE(node.api("PUT", "/picket/deadletter/retry?letters_list=all"));
  EXPECT_TRUE(eventually([&] {
    for (const auto& event : node.archives())
      if (event.value("full_log", "") == std::string{magic} + " as ever")
        return event["agent"]["id"] == "001" && event["location"] == "/var/log/x";
    return false;
  }));
  EXPECT_EQ(listed().size(), 0u);
}

TEST_F(CrashRecovery, ALineThatMakesAnExecutorThrowIsFoundWithoutADeath) {
  ASSERT_TRUE(node.set_fault("crash-on", "off"));
  ASSERT_TRUE(node.set_fault("throw-on", magic));
  connect();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(agents[0]->send_event("/var/log/x", (i == 7 ? magic : "line") + (" " + std::to_string(i))));
  EXPECT_TRUE(supervised([&] {
    look_at_archives();
    return arrived["001"].size() == 19 && letters() == 1;
  }));
  EXPECT_EQ(deaths, 0u);
  EXPECT_EQ(listed()[0].value("reason", ""), "signal 6")
      << "the child dies of what the node only loses an executor of";
  EXPECT_EQ(node.metric("picket_dispatch_requeued_batches_total"), 2);
}

/// Deaths for which no single line can be blamed: here they come from outside.
TEST_F(CrashRecovery, ABatchWithWhichTheProcessDiesAgainAndAgainIsSetAsideWholeAndCanBeBroughtBack) {
  connect();
  node.faults = {{"executor-sleep-ms", "600000"}};
  ASSERT_TRUE(node.set_fault("executor-sleep-ms", "600000"));
  auto read = node.metric("picket_ingest_records_total");
  // In the shard of the node's own events, which come behind at each start.
  auto& agent = *agents[3];
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(agent.send_event("/var/log/x", "line " + std::to_string(i)));
  ASSERT_TRUE(eventually([&] { return node.metric("picket_ingest_records_total") >= read + 5; }));
  auto set_aside = [&] {
    std::size_t count = 0;
    for (const auto& one : listed())
      count += one.value("agent", "") == "004" && !one.value("examined", true) ? 1U : 0U;
    return count;
  };
  int kills = 0;
  for (; kills < 40 && set_aside() < 5; ++kills) {
    // A batch has been opened and is being analysed; that it is examined is no attempt.
    ASSERT_TRUE(eventually([&] { return node.metric("picket_ingest_events_total") > 0; }));
    node.kill();
    ASSERT_TRUE(node.start());
  }
  EXPECT_GE(kills, 3);
  EXPECT_EQ(set_aside(), 5u);
  EXPECT_THAT(listed()[0].value("reason", ""), HasSubstr("three times"));
  ASSERT_TRUE(node.set_fault("executor-sleep-ms", "off"));
  ASSERT_TRUE(node.api("PUT", "/picket/deadletter/retry?letters_list=all"));
  EXPECT_TRUE(eventually([&] {
    look_at_archives();
    return arrived["004"].size() == 5;
  })) << arrived["004"].size();
  EXPECT_TRUE(eventually([&] { return letters() == 0; }));
}

TEST_F(CrashRecovery, ANodeThatIsKilledWhileItsDiskStandsStillSetsNothingAside) {
  node.faults = {{"sink-stopped", "1"}};
  node.kill();
  ASSERT_TRUE(node.start());
  connect();
  for (auto& agent : agents)
    ASSERT_TRUE(agent->send_event("/var/log/x", "line " + agent->who().id));
  for (int kills = 0; kills < 5; ++kills) {
    // A batch for each executor has been analysed and stands at the sink.
    ASSERT_TRUE(eventually([&] { return node.metric("picket_engine_events_total") > 0; }));
    node.kill();
    ASSERT_TRUE(node.start());
  }
  ASSERT_TRUE(node.set_fault("sink-stopped", "off"));
  EXPECT_TRUE(eventually([&] {
    look_at_archives();
    return arrived.size() == agent_count;
  })) << arrived.size();
  EXPECT_EQ(letters(), 0u);
  EXPECT_EQ(node.metric("picket_dispatch_examined_batches_total"), 0);
}

} // namespace
} // namespace picket
