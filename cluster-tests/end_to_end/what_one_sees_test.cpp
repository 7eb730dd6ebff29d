// What an operator sees of a node and of an agent, through the real endpoints.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include "actors/telemetry/metrics.hpp"
#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"

namespace picket {
namespace {

using harness::eventually;
using harness::node_process;
using ::testing::HasSubstr;

class WhatOneSees : public ::testing::Test {
protected:
  void SetUp() override {
    harness::seed_agent(dir.path(), harness::transcript_agent());
    ASSERT_TRUE(node.start());
  }
  void connect() {
    ASSERT_TRUE(agent.connect(node.agents()));
    auto ack = agent.startup();
    ASSERT_TRUE(ack) << to_string(ack.error());
  }
  nlohmann::json seen() const { return node.agent(harness::transcript_agent().id); }
  nlohmann::json status() const {
    auto answer = node.api("GET", "/picket/node/status");
    return answer ? (*answer)["data"] : nlohmann::json{};
  }
  std::string metrics_page() const {
    auto colon = node.health_text().rfind(':');
    httplib::Client client{node.health_text().substr(0, colon),
                           std::stoi(node.health_text().substr(colon + 1))};
    auto page = client.Get("/metrics");
    return page ? page->body : std::string{};
  }

  testing::scratch_directory dir;
  node_process node{dir.path()};
  agentsim::blocking_agent agent{harness::transcript_agent()};
};

TEST_F(WhatOneSees, AnAgentsConnectionAndWhatItBrought) {
  EXPECT_FALSE(seen().contains("lastContact"));
  EXPECT_EQ(seen()["since_start"]["events"], 0);
  connect();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(agent.send_event("/var/log/x", "hello"));
  ASSERT_TRUE(agent.send_message("neither queue nor location"));
  EXPECT_TRUE(eventually([&] {
    auto now = seen();
    return now.contains("connection") && now["connection"]["events"] == 5
           && now["connection"]["dropped"] == 1;
  })) << seen();
  auto now = seen();
  EXPECT_EQ(now["connection"]["address"], "127.0.0.1");
  EXPECT_EQ(now["connection"]["records"], 6);
  EXPECT_GT(now["connection"]["bytes"], 6 * 20);
  EXPECT_EQ(now["connection"]["paused"], false);
  EXPECT_TRUE(now.contains("lastContact"));
  agent.close();
  EXPECT_TRUE(eventually([&] { return !seen().contains("connection"); }));
  EXPECT_EQ(seen()["since_start"]["events"], 5) << "the figures of a connection that is gone stay";
  connect();
  ASSERT_TRUE(agent.send_event("/var/log/x", "again"));
  EXPECT_TRUE(eventually([&] {
    auto later = seen();
    return later["connection"]["events"] == 1 && later["since_start"]["events"] == 6;
  })) << seen();
}

TEST_F(WhatOneSees, EverySeriesOfTheTableFromTheStart) {
  auto page = metrics_page();
  for (const auto& metric : all_metrics()) {
    std::string name{metric.name};
    std::string labels{metric.labels};
    auto equals = labels.find('=');
    if (equals == std::string::npos) {
      EXPECT_THAT(page, HasSubstr("\n" + name + " "));
      continue;
    }
    std::istringstream values{labels.substr(equals + 1)};
    for (std::string value; std::getline(values, value, '|');)
      EXPECT_THAT(page, HasSubstr("\n" + name + "{" + labels.substr(0, equals) + "=\"" + value + "\"} "));
  }
}

TEST_F(WhatOneSees, GaugesThatAreTrueWhenTheyAreRead) {
  EXPECT_EQ(node.metric("picket_ingest_connections"), 0);
  connect();
  EXPECT_EQ(node.metric("picket_ingest_connections"), 1);
  EXPECT_EQ(node.metric("picket_ingest_ready"), 1);
  EXPECT_GT(node.metric("picket_disk_free_bytes{of=\"journal\"}"), 0);
  EXPECT_GT(node.metric("picket_disk_free_bytes{of=\"data\"}"), 0);
  EXPECT_GT(node.metric("picket_disk_free_bytes{of=\"runtime\"}"), 0);
  EXPECT_GT(node.metric("picket_pool_segments{use=\"free\"}"), 0);
  EXPECT_GT(node.metric("picket_process_resident_bytes"), 1'000'000);
  EXPECT_GT(node.metric("picket_process_open_descriptors"), 10);
  EXPECT_GT(node.metric("picket_process_cpu_seconds_total{mode=\"user\"}"), 0);
  EXPECT_GT(node.metric("picket_process_start_seconds"), 1'600'000'000);
  EXPECT_GT(node.metric("picket_store_bytes{of=\"state\"}"), 0);
  EXPECT_GT(node.metric("picket_store_bytes{of=\"local\"}"), 0);
  agent.close();
  EXPECT_TRUE(eventually([&] { return node.metric("picket_ingest_connections") == 0; }));
}

TEST_F(WhatOneSees, WhereTheTimeGoes) {
  connect();
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(agent.send_event("/var/log/x", "hello " + std::to_string(i)));
  EXPECT_TRUE(eventually([&] { return node.metric("picket_engine_events_total") >= 300; }));
  for (const char* stage : {"open", "evaluate", "write"})
    EXPECT_GT(node.metric(std::string{"picket_stage_seconds_total{stage=\""} + stage + "\"}"), 0) << stage;
  EXPECT_TRUE(eventually([&] { return node.metric("picket_journal_syncs_total") > 0; }));
  EXPECT_EQ(node.metric("picket_journal_new_files_total{why=\"day\"}"), 2) << "alerts and archives";
}

TEST_F(WhatOneSees, TheNodesStatusInFigures) {
  connect();
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(agent.send_event("/var/log/x", "hello " + std::to_string(i)));
  agentsim::blocking_agent stranger{{"999", "nobody", "any", std::string(64, 'x')}};
  ASSERT_TRUE(stranger.connect(node.agents()));
  ASSERT_TRUE(stranger.send_event("/x", "let me in"));
  EXPECT_TRUE(eventually([&] {
    auto now = status();
    return now["ingest"]["records_per_second"] > 0 && now["analysis"]["events_per_second"] > 0
           && !now["last_minute"]["refused"].empty();
  })) << status();
  auto now = status();
  EXPECT_EQ(now["findings"], nlohmann::json::array());
  EXPECT_EQ(now["ingest"]["agents_connected"], 1);
  EXPECT_TRUE(eventually([&] {
    auto agents = status()["agents"];
    return agents["active"].get<int>() + agents["pending"].get<int>() == 1;
  })) << status()["agents"];
  EXPECT_EQ(now["last_minute"]["refused"][0]["reason"], "unknown_agent");
  EXPECT_THAT(now["facts"]["journal_file"].get<std::string>(), HasSubstr("ossec-"));
  ASSERT_EQ(now["disks"].size(), 1u) << "all three directories lie on one disk here";
  EXPECT_EQ(now["disks"][0]["of"], "journal and data and runtime");
}

} // namespace
} // namespace picket
