#include "actors/enroller/enroller.hpp"

#include <gtest/gtest.h>

#include "actors/registry/registry.hpp"
#include "actors/testing/deterministic.hpp"
#include "base/testing/scratch_directory.hpp"
#include "protocol/enrollment/keys.hpp"

namespace picket {
namespace {

using namespace std::chrono_literals;

/// A registry that answers what the test wants, or nothing at all.
struct scripted_state {
  std::vector<registry::propose_answer>* answers = nullptr;
  std::vector<registry::proposal_ptr>* asked = nullptr;
  std::vector<caf::typed_response_promise<registry::propose_answer>> unanswered;
};

registry_actor::behavior_type scripted(registry_actor::stateful_pointer<scripted_state> self,
                                       std::vector<registry::propose_answer>* answers,
                                       std::vector<registry::proposal_ptr>* asked) {
  return {
      [self, answers, asked](propose_atom, const registry::proposal_ptr& what) {
        asked->push_back(what);
        auto promise = self->make_response_promise<registry::propose_answer>();
        if (answers->empty()) {
          self->state.unanswered.push_back(promise);
        } else {
          promise.deliver(answers->front());
          answers->erase(answers->begin());
        }
        return promise;
      },
      [](outcome_atom, const protocol::request_id&) { return registry::propose_answer{}; },
      [](subscribe_atom, const registry_subscriber_actor&) {},
      [](commit_atom) {},
      [](status_atom) { return registry::registry_status{}; },
  };
}

class Enroller : public testing::deterministic_actors {
protected:
  void SetUp() override {
    auto opened = store::registry_tables::open(scratch.path() / "state");
    ASSERT_TRUE(opened) << to_string(opened.error());
    tables = std::move(*opened);
  }

  void start(const registry_actor& with) {
    enroller_setup setup;
    setup.policy = policy;
    setup.registry = with;
    setup.tables = tables;
    setup.statuses = statuses;
    setup.draw_key = [] { return std::string(64, 'k'); };
    setup.next_request = [this] { return protocol::request_id{1, 1, ++counter}; };
    setup.counts = counts;
    setup.log = event_log::silent();
    actor = spawn(enroller, setup);
  }

  void start_with_real_registry() {
    registry::registry_setup setup;
    setup.tables = tables;
    setup.store = std::make_shared<registry::embedded_store>(*tables);
    setup.context.node = 1;
    setup.context.server_names = {"mgr-01"};
    setup.counts = counts;
    setup.log = event_log::silent();
    start(spawn(registry::registry, setup));
  }

  /// The answer to one line; empty while there is none.
  std::string enroll(const std::string& line, const std::string& source = "192.0.2.1") {
    auto exchange = std::make_shared<enrollment_exchange>();
    exchange->line = line;
    exchange->source = *net::parse_ip(source);
    exchange->answer = [this](std::string text) {
      answer = std::move(text);
      ++answers;
    };
    answer.clear();
    tell(actor, enroll_atom_v, exchange_ptr{exchange});
    return answer;
  }

  testing::scratch_directory scratch;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<agent_status_table> statuses = std::make_shared<agent_status_table>();
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  enrollment_policy policy;
  enroller_actor actor;
  std::uint64_t counter = 0;
  std::string answer;
  int answers = 0;
};

const std::string key(64, 'k');

TEST_F(Enroller, GivesIdNameAddressAndKey) {
  start_with_real_registry();
  EXPECT_EQ(enroll("OSSEC A:'web-01' V:'v4.14.7'"), "OSSEC K:'001 web-01 any " + key + "'");
  EXPECT_EQ(enroll("OSSEC A:'a6' IP:'src'", "127.0.0.5"), "OSSEC K:'002 a6 127.0.0.5 " + key + "'");
  EXPECT_EQ(enroll("OSSEC A:'a5' IP:'10.10.10.1/24'"), "OSSEC K:'003 a5 10.10.10.1/24 " + key + "'");
  EXPECT_EQ(enroll("OSSEC A:'a4' IP:'2001:db8:0:b::1A'"),
            "OSSEC K:'004 a4 2001:0DB8:0000:000B:0000:0000:0000:001A " + key + "'");
}

TEST_F(Enroller, WithAPasswordTheLineMustBeginWithIt) {
  policy.password = "s3cret";
  start_with_real_registry();
  EXPECT_EQ(enroll("OSSEC A:'a1'"), "ERROR: Invalid password. Unable to add agent");
  EXPECT_EQ(enroll("OSSEC PASS: wrong OSSEC A:'a1'"), "ERROR: Invalid password. Unable to add agent");
  EXPECT_EQ(enroll("OSSEC PASS: s3cret OSSEC A:'a1'").substr(0, 17), "OSSEC K:'001 a1 a");
}

TEST_F(Enroller, WithoutOneAPasswordIsAnInvalidRequest) {
  start_with_real_registry();
  EXPECT_EQ(enroll("OSSEC PASS: x OSSEC A:'a2'"),
            "ERROR: Invalid request for new agent. Unable to add agent");
  EXPECT_EQ(enroll("hello"), "ERROR: Invalid request for new agent. Unable to add agent");
}

TEST_F(Enroller, RefusesWithTheReferencesTexts) {
  start_with_real_registry();
  EXPECT_EQ(enroll("OSSEC A:'mgr-01'"), "ERROR: Invalid agent name: mgr-01. Unable to add agent");
  EXPECT_EQ(enroll("OSSEC A:'a3' IP:'10.10.10'"), "ERROR: Invalid IP: 10.10.10. Unable to add agent");
  EXPECT_EQ(enroll("OSSEC A:'a3' G:'nope'"), "ERROR: Invalid group: nope. Unable to add agent");
}

TEST_F(Enroller, ARepeatFromTheSameAddressGetsTheSameAnswer) {
  start_with_real_registry();
  auto first = enroll("OSSEC A:'web-01'");
  EXPECT_EQ(enroll("OSSEC A:'web-01'"), first);
  EXPECT_EQ(enroll("OSSEC A:'web-01'", "192.0.2.9"),
            "ERROR: Duplicate agent name: web-01. Unable to add agent");
}

TEST_F(Enroller, RefusesAHigherVersionOnlyWhereAsked) {
  start_with_real_registry();
  EXPECT_EQ(enroll("OSSEC A:'a7' V:'v99.0.0'").substr(0, 8), "OSSEC K:");
  policy.versions.allow_higher = false;
  start_with_real_registry();
  EXPECT_EQ(enroll("OSSEC A:'a8' V:'v99.0.0'"),
            "ERROR: Agent version must be lower or equal to manager version. Unable to add agent");
}

TEST_F(Enroller, ARegistryThatIsSilentIsAnErrorWithinEightSeconds) {
  std::vector<registry::propose_answer> script;
  std::vector<registry::proposal_ptr> asked;
  start(spawn(scripted, &script, &asked));
  EXPECT_EQ(enroll("OSSEC A:'web-01'"), "");
  advance(8s + 10ms, 100ms);
  EXPECT_EQ(answer, "ERROR: Internal manager error adding agent: web-01. Unable to add agent");
  EXPECT_EQ(answers, 1);
}

TEST_F(Enroller, AsksAgainWithFreshFactsAtMostThreeTimes) {
  registry::propose_answer stale;
  stale.how = registry::proposed::refused;
  stale.result.code = static_cast<std::uint16_t>(errc::stale_evidence);
  std::vector<registry::propose_answer> script{stale, stale, stale, stale};
  std::vector<registry::proposal_ptr> asked;
  start(spawn(scripted, &script, &asked));
  EXPECT_EQ(enroll("OSSEC A:'web-01'"),
            "ERROR: Internal manager error adding agent: web-01. Unable to add agent");
  EXPECT_EQ(asked.size(), 3u);
}

TEST_F(Enroller, ReplacesAnAgentThatWasNeverSeen) {
  policy.force.after_registration_time_s = 0;
  policy.repeat_window_s = 0;
  start_with_real_registry();
  enroll("OSSEC A:'web-01'");
  EXPECT_EQ(enroll("OSSEC A:'web-01'").substr(0, 20), "OSSEC K:'002 web-01 ");
  auto hash = protocol::agent_key_hash("002", "web-01", key);
  EXPECT_EQ(enroll("OSSEC A:'web-01' K:'" + hash + "'"),
            "ERROR: Duplicate agent name: web-01. Unable to add agent");
  auto registration = tables->read()->agent(2)->registration;
  statuses->update(2, [&](agent_status& status) {
    status.registration = registration;
    status.connection.on_keepalive(1'000);
  });
  EXPECT_EQ(enroll("OSSEC A:'web-01'"), "ERROR: Duplicate agent name: web-01. Unable to add agent")
      << "it is connected";
}

} // namespace
} // namespace picket
