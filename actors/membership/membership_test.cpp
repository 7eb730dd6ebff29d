#include "actors/membership/membership.hpp"

#include <gtest/gtest.h>

#include "actors/registry/registry.hpp"
#include "actors/testing/deterministic.hpp"
#include "actors/testing/recorded_notices.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket {
namespace {

using namespace std::chrono_literals;
using protocol::agent_state;

class Membership : public testing::deterministic_actors {
protected:
  void SetUp() override {
    tables = std::move(*store::registry_tables::open(scratch.path() / "state"));
    local = std::move(*store::local_state::open(scratch.path() / "local", 1));
    registry::registry_setup setup;
    setup.tables = tables;
    setup.store = std::make_shared<registry::embedded_store>(*tables);
    setup.context.node = 1;
    setup.counts = counts;
    setup.log = event_log::silent();
    registry_handle = spawn(registry::registry, setup);
  }

  void start() {
    membership_setup setup;
    setup.self = {1, "node-1", "0.1.0", node_state::up};
    setup.tables = tables;
    setup.local = local;
    setup.statuses = statuses;
    setup.notices = notices;
    setup.registry = registry_handle;
    setup.next_request = [this] { return protocol::request_id{1, 1, ++counter}; };
    setup.wall_ms = [this] { return now_ms; };
    setup.counts = counts;
    setup.log = event_log::silent();
    actor = spawn(membership, setup);
  }

  agent_id add(const std::string& name, protocol::confirmation state = protocol::confirmation::confirmed) {
    protocol::agent_add request;
    request.name = name;
    request.key = std::string(64, 'k');
    request.address = "any";
    request.state = state;
    return propose(request).result.agent;
  }

  registry::propose_answer propose(protocol::command_arguments arguments) {
    auto made = std::make_shared<registry::proposal>();
    made->command.request = {2, 2, ++counter};
    made->command.arguments = std::move(arguments);
    made->deadline_ms = INT64_MAX;
    auto answer =
        ask<registry::propose_answer>(registry_handle, propose_atom_v, registry::proposal_ptr{made});
    EXPECT_TRUE(answer);
    return answer ? *answer : registry::propose_answer{};
  }

  /// Lets the test's clock and the actors' run together.
  void pass(std::chrono::seconds time) {
    for (; time.count() > 0; time -= 1s) {
      now_ms += 1'000;
      advance(1s, 500ms);
    }
  }

  void heard_from(agent_id id) {
    auto registration = tables->read()->agent(id)->registration;
    statuses->update(id, [&](agent_status& status) {
      status.registration = registration;
      status.connection.on_keepalive(now_ms);
    });
  }

  agent_state state(agent_id id) { return statuses->get(id)->connection.state; }

  testing::scratch_directory scratch;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<store::local_state> local;
  std::shared_ptr<agent_status_table> statuses = std::make_shared<agent_status_table>();
  std::shared_ptr<testing::recorded_notices> notices = std::make_shared<testing::recorded_notices>();
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  registry_actor registry_handle;
  membership_actor actor;
  std::int64_t now_ms = 1'700'000'000'000;
  std::uint64_t counter = 0;
};

TEST_F(Membership, Case32_AnAgentThatIsSilentFor900SecondsIsDisconnected) {
  start();
  auto id = add("web-01");
  heard_from(id);
  pass(895s);
  EXPECT_EQ(state(id), agent_state::active);
  EXPECT_TRUE(notices->taken.empty());
  pass(15s);
  EXPECT_EQ(state(id), agent_state::disconnected);
  EXPECT_EQ(statuses->get(id)->connection.code, protocol::status_code::no_keepalive);
  ASSERT_EQ(notices->taken.size(), 1u);
  EXPECT_EQ(notices->taken[0], to_text(id) + " wazuh-monitord ossec: Agent disconnected: 'web-01-any'.");
  pass(60s);
  EXPECT_EQ(notices->taken.size(), 1u) << "said once";
}

TEST_F(Membership, ANoticeWithoutRoomIsSaidLater) {
  start();
  auto id = add("web-01");
  heard_from(id);
  notices->full = true;
  pass(920s);
  EXPECT_TRUE(notices->taken.empty());
  notices->full = false;
  pass(10s);
  EXPECT_EQ(notices->taken.size(), 1u);
}

TEST_F(Membership, StatesOutliveARestartAndNobodyIsConnectedAfterIt) {
  start();
  auto id = add("web-01");
  heard_from(id);
  pass(2s);
  EXPECT_TRUE(*ask<bool>(actor, flush_atom_v));
  self->send_exit(actor, caf::exit_reason::kill);
  run();
  statuses = std::make_shared<agent_status_table>();
  start();
  ASSERT_TRUE(statuses->get(id));
  EXPECT_EQ(state(id), agent_state::disconnected);
  EXPECT_EQ(statuses->get(id)->connection.code, protocol::status_code::reset_by_manager);
}

TEST_F(Membership, ConfirmsAgentsThatHaveProvenTheirKey) {
  start();
  auto id = add("web-01", protocol::confirmation::unconfirmed);
  tell(actor, proven_atom_v, id);
  EXPECT_EQ(tables->read()->agent(id)->state, protocol::confirmation::unconfirmed) << "gathered for a second";
  pass(2s);
  EXPECT_EQ(tables->read()->agent(id)->state, protocol::confirmation::confirmed);
  auto revision = tables->read()->head().sequence;
  pass(30s);
  EXPECT_EQ(tables->read()->head().sequence, revision) << "an idle node changes nothing";
}

TEST_F(Membership, ForgetsARemovedAgent) {
  start();
  auto id = add("web-01");
  heard_from(id);
  propose(protocol::agent_remove{{id}, "test"});
  run();
  EXPECT_FALSE(statuses->get(id));
}

TEST_F(Membership, TheViewOfOneNodeIsThatNode) {
  start();
  auto view = ask<cluster_view>(actor, view_atom_v);
  ASSERT_TRUE(view);
  ASSERT_EQ(view->members.size(), 1u);
  EXPECT_EQ(view->members[0].name, "node-1");
  EXPECT_EQ(view->members[0].state, node_state::up);
}

TEST_F(Membership, CountsAgentsByState) {
  start();
  add("never");
  heard_from(add("there"));
  pass(6s);
  EXPECT_EQ(counts->agents.value_for("never_connected"), 1);
  EXPECT_EQ(counts->agents.value_for("active"), 1);
}

} // namespace
} // namespace picket
