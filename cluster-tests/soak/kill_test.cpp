// `kill -9` again and again under load. The node counts in a mapped file how many records it took from each
// connection: what was counted must be in the archives. What lies beyond was in the kernel's buffers and is
// lost with the process; the test says how much. PICKET_SOAK_SECONDS=600 kills every 20 seconds.

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/agentsim/enrollment_client.hpp"
#include "cluster-tests/soak/load.hpp"
#include "store/pool/connection_counts.hpp"

namespace picket::soak {
namespace {

struct kill_note {
  std::int64_t at_ms = 0;
  std::vector<store::connection_counts::row> taken;
};

/// As the admin endpoint gives an agent's line of client.keys.
std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  auto size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

/// Enrols agents one after the other for as long as it lives; remembers every answer.
class steady_enrollment {
public:
  explicit steady_enrollment(const std::string& address)
      : thread_{[this, address] {
        auto to = agentsim::resolve(address);
        for (int i = 0; to && !pause(); ++i) {
          auto name = "late-" + std::to_string(i);
          auto answer = agentsim::exchange_line(context_, *to, "OSSEC A:'" + name + "'\n", 3'000);
          // OSSEC K:'<id> <name> <address> <key>'
          auto begin = answer ? answer->find("K:'") : std::string::npos;
          if (begin != std::string::npos)
            answered_[name] = answer->substr(begin + 3, answer->find('\'', begin + 3) - begin - 3);
        }
      }} {}
  std::map<std::string, std::string> finish() {
    {
      std::lock_guard lock{mutex_};
      over_ = true;
    }
    end_.notify_all();
    if (thread_.joinable()) thread_.join();
    return answered_;
  }
  ~steady_enrollment() { finish(); }

private:
  /// Some twenty a second. True: it is over.
  bool pause() {
    std::unique_lock lock{mutex_};
    return end_.wait_for(lock, std::chrono::milliseconds{50}, [this] { return over_; });
  }

  agentsim::tls_client_context context_;
  std::mutex mutex_;
  std::condition_variable end_;
  bool over_ = false;
  std::map<std::string, std::string> answered_;
  std::thread thread_;
};

class Kill : public ::testing::TestWithParam<bool> {
protected:
  void SetUp() override {
    fixed["ingest.listen"] = free_address();
    fixed["enrollment.listen"] = free_address();
    fixed["ingest.durable"] = GetParam() ? "yes" : "no";
  }

  struct loss {
    std::size_t connections = 0;
    std::uint64_t counted = 0;
    std::uint64_t lost_counted = 0;
    std::uint64_t beyond = 0;
    std::uint64_t lost_beyond = 0;
  };
  /// Holds what was counted at each kill against what was found.
  static loss settle(const std::vector<kill_note>& kills, const agentsim::simulator& simulator,
                     const agentsim::verifier& found) {
    loss sum;
    for (const auto& note : kills) {
      std::map<std::string, std::uint64_t> taken; // none: the node had not even bound the connection
      std::map<agent_id, std::uint64_t> newest;   // an agent's older connection may not have ended yet
      for (const auto& row : note.taken)
        if (newest[row.agent] <= row.connection) {
          newest[row.agent] = row.connection;
          taken[to_text(row.agent)] = row.records;
        }
      for (const auto& one : simulator.history()) {
        if (one.opened_ms > note.at_ms || one.closed_ms < note.at_ms) continue;
        ++sum.connections;
        for (const auto& line : one.lines) {
          bool there = found.has(one.agent, line.number);
          bool was_counted = line.record <= taken[one.agent];
          ++(was_counted ? sum.counted : sum.beyond);
          if (!there) ++(was_counted ? sum.lost_counted : sum.lost_beyond);
        }
      }
    }
    return sum;
  }

  testing::scratch_directory dir;
  harness::settings fixed;
};

TEST_P(Kill, NothingThatWasTakenIsLost) {
  const auto seconds = seconds_or(30);
  const auto every_ms = seconds >= 600 ? 20'000 : seconds * 1'000 / 5;
  harness::node_process node{dir.path(), fixed};
  ASSERT_TRUE(node.start());
  auto options = numbered_load(dir.path(), node.agents_text(), node.enrollment_text(), 50, 1'500);
  options.duration_ms = seconds * 1'000;
  options.timeout_ms = options.duration_ms + 120'000;
  options.keep_history = true;
  options.agent.timing.retry_interval_ms = 500;
  agentsim::simulator simulator{options};
  auto prepared = simulator.prepare();
  ASSERT_TRUE(prepared) << to_string(prepared.error());
  result<agentsim::sim_report> report;
  std::atomic<bool> sending{true};
  std::thread load{[&] {
    report = simulator.run();
    sending = false;
  }};
  steady_enrollment enrolling{node.enrollment_text()};
  std::vector<kill_note> kills;
  bool started = true;
  for (auto next_ms = steady_clock_ms() + every_ms; sending && started; next_ms += every_ms) {
    harness::eventually([&] { return !sending || steady_clock_ms() >= next_ms; },
                        std::chrono::milliseconds{every_ms * 2});
    if (!sending) break;
    kill_note note;
    note.at_ms = steady_clock_ms();
    node.kill();
    auto taken = store::connection_counts::read(dir.path() / "data/run/connections");
    EXPECT_TRUE(taken) << to_string(taken.error());
    if (taken) note.taken = std::move(*taken);
    kills.push_back(std::move(note));
    started = node.start().has_value();
    EXPECT_TRUE(started) << node.log();
  }
  load.join();
  auto answered = enrolling.finish();
  ASSERT_TRUE(report) << to_string(report.error());
  for (const auto& [name, key] : answered) {
    auto id = key.substr(0, key.find(' '));
    auto stored = node.api("GET", "/agents/" + id + "/key");
    ASSERT_TRUE(stored);
    EXPECT_EQ((*stored)["data"]["affected_items"][0]["key"], base64(key)) << name << ": " << key;
  }
  EXPECT_EQ(node.stop(), 0);
  agentsim::verifier checker{"soak"};
  auto found = verify(node, simulator, checker);
  auto sum = settle(kills, simulator, checker);
  std::printf("kill: %zu kills in %lld s, durable %s; %llu lines sent, %llu of %zu connections' lines "
              "counted as taken: "
              "%llu lost; %llu beyond the count: %llu lost in the kernel's buffers\n"
              "kill: %zu agents enrolled meanwhile, none lost; %s\n",
              kills.size(), static_cast<long long>(seconds), GetParam() ? "yes" : "no",
              static_cast<unsigned long long>(report->sent), static_cast<unsigned long long>(sum.counted),
              sum.connections, static_cast<unsigned long long>(sum.lost_counted),
              static_cast<unsigned long long>(sum.beyond), static_cast<unsigned long long>(sum.lost_beyond),
              answered.size(), to_string(found).c_str());
  EXPECT_GE(kills.size(), 3u);
  EXPECT_GT(answered.size(), 3u);
  EXPECT_GT(sum.connections, kills.size() * 25) << "agents were connected at each kill";
  EXPECT_GT(sum.counted, 1'000u);
  EXPECT_EQ(sum.lost_counted, 0u);
  EXPECT_EQ(found.lost, sum.lost_beyond) << "every loss is explained";
  EXPECT_EQ(found.wrong_id, 0u) << "a line stands twice only with its own id";
  EXPECT_EQ(found.out_of_order, 0u);
  EXPECT_EQ(found.unreadable, 0u);
}

INSTANTIATE_TEST_SUITE_P(, Kill, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "DurableIngest" : "PoolAlone"; });

} // namespace
} // namespace picket::soak
