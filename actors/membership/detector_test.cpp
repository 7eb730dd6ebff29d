#include "actors/membership/detector.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <queue>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace picket {

std::string_view text_of(node_state state) {
  return state == node_state::up ? "up" : state == node_state::suspect ? "suspect" : "down";
}

void PrintTo(const member_change& one, std::ostream* out) {
  *out << one.node << " " << text_of(one.from) << " -> " << text_of(one.to) << " " << name_of(one.cause)
       << " silent " << one.silent_ms << " ms";
}

namespace {

using protocol::peer::heartbeat;
using node_id = std::uint32_t;

// -- one detector, by hand --

/// The detector of node 1, and what nodes 2 and 3 would say to it.
class Detector : public ::testing::Test {
protected:
  Detector() {
    seen.set_members({1, 2, 3}, now_ms);
    for (node_id node : {2U, 3U})
      others[node].boot = 5;
  }

  heartbeat say(node_id node) {
    auto& beat = others[node];
    ++beat.sequence;
    beat.steady_ms = now_ms + 5'000'000 - drifted_ms; // its clock has nothing to do with ours
    beat.wall_ms = wall_ms();
    return beat;
  }
  void keep(const detector::changes& more) { changed.insert(changed.end(), more.begin(), more.end()); }
  /// Nodes of `speaking` are heard each 200 ms and hear us; ticks come each 50 ms.
  void run(std::int64_t for_ms, const std::set<node_id>& speaking) {
    for (auto end_ms = now_ms + for_ms; now_ms < end_ms;) {
      now_ms += 50;
      keep(seen.tick(now_ms).changed);
      if (now_ms % 200 != 0) continue;
      for (auto node : speaking) {
        others[node].heard = {{1, 30}};
        keep(seen.hear(node, say(node), now_ms));
      }
    }
  }
  std::int64_t wall_ms() const { return now_ms + 1'700'000'000'000; }

  std::int64_t now_ms = 10'000;
  std::int64_t drifted_ms = 0;
  detector seen{1, 4, {}, now_ms};
  std::map<node_id, heartbeat> others;
  detector::changes changed;
};

TEST_F(Detector, ANodeIsDownUntilItIsHeardThreeTimesAndHearsUs) {
  EXPECT_EQ(seen.up(), std::vector<node_id>{1});
  others[2].heard = {};
  for (int i = 0; i < 10; ++i) {
    now_ms += 200;
    keep(seen.hear(2, say(2), now_ms));
  }
  EXPECT_EQ(seen.state_of(2), node_state::down) << "it does not hear us";
  run(400, {2});
  EXPECT_EQ(seen.state_of(2), node_state::down);
  EXPECT_TRUE(changed.empty());
  run(200, {2});
  EXPECT_EQ(seen.up(), (std::vector<node_id>{1, 2}));
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0], (member_change{2, node_state::down, node_state::up, change_cause::back, 0}));
}

TEST_F(Detector, ABurstOfHeldUpHeartbeatsIsOneSign) {
  others[2].heard = {{1, 30}};
  for (int i = 0; i < 20; ++i)
    keep(seen.hear(2, say(2), now_ms));
  EXPECT_EQ(seen.state_of(2), node_state::down);
}

TEST_F(Detector, SilenceIsSuspectedAndThenDown) {
  run(2'000, {2, 3});
  changed.clear();
  auto view = seen.view_number();
  run(900, {3});
  EXPECT_TRUE(changed.empty());
  run(200, {3});
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].to, node_state::suspect);
  EXPECT_EQ(seen.up().size(), 3u) << "a suspect still counts";
  EXPECT_EQ(seen.view_number(), view);
  run(1'650, {3});
  EXPECT_EQ(changed.size(), 1u);
  run(100, {3});
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_EQ(changed[1],
            (member_change{2, node_state::suspect, node_state::down, change_cause::silent, 2'800}));
  EXPECT_EQ(seen.up(), (std::vector<node_id>{1, 3}));
  EXPECT_EQ(seen.view_number(), view + 1);
}

TEST_F(Detector, ASuspectThatSpeaksIsUp) {
  run(2'000, {2, 3});
  run(1'500, {3});
  ASSERT_EQ(seen.state_of(2), node_state::suspect);
  run(200, {2, 3});
  EXPECT_EQ(seen.state_of(2), node_state::up);
}

TEST_F(Detector, WhoSaysThatItDoesNotHearUsIsDown) {
  run(2'000, {2, 3});
  changed.clear();
  std::int64_t age_ms = 30;
  while (seen.state_of(2) != node_state::down && age_ms < 5'000) {
    age_ms += 200;
    run(200, {3});
    others[2].heard = {{1, static_cast<std::uint32_t>(age_ms)}};
    keep(seen.hear(2, say(2), now_ms));
  }
  ASSERT_FALSE(changed.empty());
  EXPECT_EQ(changed.back().cause, change_cause::deaf);
  EXPECT_GE(age_ms, 2'300);
  EXPECT_LT(age_ms, 2'300 + 200);
  others[2].heard = {{3, 10}};
  run(200, {3});
  keep(seen.hear(2, say(2), now_ms));
  EXPECT_EQ(seen.state_of(2), node_state::down);
}

TEST_F(Detector, WhoLeavesUsOutOfItsListIsDown) {
  run(4'000, {2, 3});
  others[2].heard = {{3, 10}};
  now_ms += 50;
  keep(seen.hear(2, say(2), now_ms));
  EXPECT_EQ(seen.state_of(2), node_state::down);
  EXPECT_EQ(changed.back().cause, change_cause::deaf);
}

TEST_F(Detector, WhileWeStoodStillNobodyWasSilent) {
  run(2'000, {2, 3});
  changed.clear();
  now_ms += 60'000;
  auto ticked = seen.tick(now_ms);
  EXPECT_TRUE(ticked.changed.empty());
  EXPECT_TRUE(ticked.send) << "the others are to hear of us at once";
  EXPECT_EQ(seen.gaps(), 1u);
  EXPECT_EQ(seen.gaps_ms(), 60'000);
  // Their complaints are about the time in which we stood still.
  for (node_id node : {2U, 3U}) {
    others[node].heard = {{1, 2'700}};
    keep(seen.hear(node, say(node), now_ms + 10));
    others[node].heard = {};
    keep(seen.hear(node, say(node), now_ms + 20));
  }
  EXPECT_TRUE(changed.empty());
  EXPECT_EQ(seen.up().size(), 3u);
  run(3'000, {3});
  EXPECT_EQ(seen.state_of(2), node_state::down) << "but a node that stays silent is found out";
}

TEST_F(Detector, AfterAStandstillEachOfThreeTicksSends) {
  run(2'000, {2, 3});
  now_ms += 2'000;
  int sends = 0;
  for (int i = 0; i < 4; ++i, now_ms += 50)
    sends += seen.tick(now_ms).send ? 1 : 0;
  EXPECT_EQ(sends, 3) << "one may get lost";
}

TEST_F(Detector, ASignCountsFromWhenItWasSentWithinBounds) {
  run(2'000, {2, 3});
  auto late_by = [&](std::int64_t late_ms) {
    auto beat = say(2);
    beat.steady_ms -= late_ms;
    keep(seen.hear(2, beat, now_ms));
    return seen.members(now_ms, wall_ms())[0];
  };
  now_ms += 400;
  EXPECT_EQ(late_by(300).delay_ms, 300);
  EXPECT_EQ(late_by(300).silent_ms, 300);
  now_ms += 400;
  EXPECT_EQ(late_by(700).silent_ms, 500) << "no more than the credit";
  // A clock that drifts apart is no delay: the least difference is that of the last minute.
  for (int minute = 0; minute < 20; ++minute) {
    drifted_ms += 40;
    run(60'000, {2, 3});
  }
  EXPECT_LE(seen.members(now_ms, wall_ms())[0].delay_ms, 100);
}

TEST_F(Detector, ARestartedNodeHasANewClock) {
  run(2'000, {2, 3});
  others[2].boot = 6;
  others[2].sequence = 0;
  for (int i = 0; i < 10; ++i) {
    run(200, {3});
    auto beat = say(2);
    beat.steady_ms -= 4'000'000;
    beat.heard = {{1, 30}};
    keep(seen.hear(2, beat, now_ms));
    EXPECT_EQ(seen.members(now_ms, wall_ms())[0].delay_ms, 0);
  }
}

TEST_F(Detector, TheFirstCallAfterAStandstillMayBeAHeartbeat) {
  run(2'000, {2, 3});
  changed.clear();
  now_ms += 2'500;
  others[2].heard = {{1, 2'600}};
  keep(seen.hear(2, say(2), now_ms));
  keep(seen.tick(now_ms).changed);
  EXPECT_TRUE(changed.empty());
}

TEST_F(Detector, ARestartIsDownAndThenUp) {
  run(2'000, {2, 3});
  changed.clear();
  others[2].boot = 6;
  others[2].sequence = 0;
  run(200, {2, 3});
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].cause, change_cause::restarted);
  EXPECT_EQ(seen.state_of(2), node_state::down);
  run(2'000, {2, 3});
  EXPECT_EQ(seen.state_of(2), node_state::up);
}

TEST_F(Detector, EarlierBootsRepeatsAndStrangersAreNoSign) {
  run(2'000, {2, 3});
  changed.clear();
  auto old = others[2];
  old.boot = 4;
  old.sequence = 1'000'000;
  auto repeated = others[2];
  for (int i = 0; i < 80; ++i) {
    run(50, {3});
    keep(seen.hear(2, old, now_ms));
    keep(seen.hear(2, repeated, now_ms));
    keep(seen.hear(9, repeated, now_ms));
  }
  EXPECT_EQ(seen.state_of(2), node_state::down);
  EXPECT_GE(seen.ignored_heartbeats(), 3u * 55u);
  EXPECT_EQ(seen.state_of(9), node_state::down);
}

TEST_F(Detector, ANodeWhoseBootNumbersWereLostComesBackOnceItWasDown) {
  run(2'000, {2, 3});
  others[2].boot = 1;
  others[2].sequence = 0;
  run(2'600, {2, 3});
  EXPECT_EQ(seen.state_of(2), node_state::suspect) << "the earlier boot is not believed yet";
  run(3'000, {2, 3});
  EXPECT_EQ(seen.state_of(2), node_state::up);
}

TEST_F(Detector, AnOrderlyStopIsDownAtOnceAndNoFlap) {
  run(2'000, {2, 3});
  changed.clear();
  keep(seen.leave(2, now_ms));
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].cause, change_cause::left);
  others[2].boot = 6;
  run(600, {2, 3});
  EXPECT_EQ(seen.state_of(2), node_state::up);
}

TEST_F(Detector, ALostLinkIsSuspectedUntilTheNextHeartbeat) {
  run(2'000, {2, 3});
  changed.clear();
  keep(seen.link_lost(2, now_ms));
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].to, node_state::suspect);
  run(150, {3});
  EXPECT_EQ(seen.state_of(2), node_state::suspect);
  run(200, {2, 3});
  EXPECT_EQ(seen.state_of(2), node_state::up);
}

TEST_F(Detector, EachTimeThatANodeFlapsItTakesLongerToComeBack) {
  run(2'000, {2, 3});
  std::vector<std::int64_t> took_ms;
  for (int i = 0; i < 7; ++i) {
    run(3'000, {3});
    ASSERT_EQ(seen.state_of(2), node_state::down);
    auto began_ms = now_ms;
    while (seen.state_of(2) == node_state::down && now_ms - began_ms < 20'000)
      run(50, {2, 3});
    took_ms.push_back(now_ms - began_ms);
  }
  for (std::size_t i = 1; i < took_ms.size(); ++i)
    EXPECT_GE(took_ms[i], took_ms[i - 1]) << i;
  EXPECT_LE(took_ms[0], 1'300);
  EXPECT_GE(took_ms.back(), 9'000);
  EXPECT_LE(took_ms.back(), 10'000) << "bounded";
  run(61'000, {2, 3});
  run(3'000, {3});
  auto began_ms = now_ms;
  run(650, {2, 3});
  EXPECT_EQ(seen.state_of(2), node_state::up) << "a good minute, and it is forgotten: " << now_ms - began_ms;
}

TEST_F(Detector, ARemovedMemberIsForgotten) {
  run(2'000, {2, 3});
  auto view = seen.view_number();
  seen.set_members({1, 3}, now_ms);
  EXPECT_EQ(seen.up(), (std::vector<node_id>{1, 3}));
  EXPECT_EQ(seen.view_number(), view + 1);
  EXPECT_EQ(seen.members(now_ms, wall_ms()).size(), 1u);
  seen.set_members({1, 3}, now_ms);
  EXPECT_EQ(seen.view_number(), view + 1) << "nothing changed";
}

TEST_F(Detector, ItsHeartbeatSaysWhomItHearsAndHowItIs) {
  run(2'000, {2, 3});
  run(1'200, {3});
  own_figures own{"1.2", 500, 7, true, false, true, 99};
  auto beat = seen.make_heartbeat(own, now_ms, 123);
  EXPECT_EQ(beat.boot, 4u);
  EXPECT_EQ(beat.sequence, 1u);
  EXPECT_EQ(beat.steady_ms, now_ms);
  EXPECT_EQ(beat.wall_ms, 123);
  EXPECT_EQ(beat.version, "1.2");
  EXPECT_EQ(beat.load_permille, 500u);
  EXPECT_EQ(beat.free_executors, 7u);
  EXPECT_TRUE(beat.ready_ingest && !beat.ready_control && beat.draining);
  EXPECT_EQ(beat.registry_revision, 99u);
  EXPECT_EQ(beat.view_number, seen.view_number());
  EXPECT_EQ(beat.heard, (std::vector<protocol::peer::heard_node>{{2, 1'200}, {3, 0}}));
  run(2'000, {3});
  EXPECT_EQ(seen.make_heartbeat(own, now_ms, 0).heard.size(), 1u) << "who is silent is not heard";
  EXPECT_EQ(seen.make_heartbeat(own, now_ms, 0).sequence, 3u);
}

TEST_F(Detector, TellsADeadNodeFromACutCable) {
  run(2'000, {2, 3});
  for (int i = 0; i < 20; ++i) {
    run(150, {});
    now_ms += 50;
    others[3].heard = {{1, 30}, {2, 100}};
    keep(seen.hear(3, say(3), now_ms));
  }
  auto all = seen.members(now_ms, wall_ms());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].state, node_state::down);
  EXPECT_EQ(all[0].heard_by, 1u) << "node 3 hears it";
  EXPECT_EQ(all[1].state, node_state::up);
  EXPECT_EQ(all[1].last.sequence, others[3].sequence);
}

TEST_F(Detector, TheLowestLiveNodeProposesAViewThatIsStable) {
  EXPECT_FALSE(seen.view_to_propose({}, now_ms)) << "not stable yet";
  run(2'000, {2, 3});
  auto ours = seen.view_to_propose({1, 2}, now_ms);
  ASSERT_TRUE(ours);
  EXPECT_EQ(*ours, (std::vector<node_id>{1, 2, 3}));
  EXPECT_FALSE(seen.view_to_propose({1, 2}, now_ms + 999)) << "one a second";
  EXPECT_TRUE(seen.view_to_propose({1, 2}, now_ms + 1'000));
  EXPECT_FALSE(seen.view_to_propose({1, 2, 3}, now_ms + 9'000)) << "it stands already";

  detector higher{3, 1, {}, now_ms};
  higher.set_members({2, 3}, now_ms);
  auto beat = say(2);
  for (int i = 0; i < 30; ++i) {
    now_ms += 200;
    beat.heard = {{3, 10}};
    beat.sequence = 1'000 + static_cast<std::uint64_t>(i);
    beat.steady_ms += 200;
    higher.hear(2, beat, now_ms);
    higher.tick(now_ms);
  }
  ASSERT_EQ(higher.up().size(), 2u);
  EXPECT_FALSE(higher.view_to_propose({3}, now_ms)) << "node 2 is lower, and up";
}

TEST_F(Detector, TheClockIsComparedWithTheMedian) {
  run(2'000, {2, 3});
  EXPECT_EQ(seen.clock_ahead_ms(now_ms, wall_ms()), 0);
  EXPECT_EQ(seen.clock_ahead_ms(now_ms, wall_ms() + 7'000), 7'000) << "our jump shows at once";
  for (int i = 0; i < 20; ++i) { // one of three is off: not ours
    run(200, {3});
    auto beat = say(2);
    beat.wall_ms += 60'000;
    beat.heard = {{1, 30}};
    keep(seen.hear(2, beat, now_ms));
  }
  EXPECT_EQ(seen.clock_ahead_ms(now_ms, wall_ms()), 0);
  EXPECT_EQ(seen.members(now_ms, wall_ms())[0].clock_ahead_ms, 60'000);
  for (int i = 0; i < 20; ++i) { // both others agree: it is ours
    for (node_id node : {2U, 3U}) {
      auto beat = say(node);
      beat.wall_ms += 60'000 - 300 * (i % 2); // some travel for 300 ms
      keep(seen.hear(node, beat, now_ms));
    }
    now_ms += 200;
    keep(seen.tick(now_ms).changed);
  }
  EXPECT_NEAR(static_cast<double>(seen.clock_ahead_ms(now_ms, wall_ms())), -60'000, 201);
}

// -- many detectors in a simulated network --

struct network_options {
  std::size_t nodes = 3;
  unsigned seed = 1;
  double loss = 0;
  std::int64_t delay_ms = 1;  ///< least
  std::int64_t jitter_ms = 0; ///< evenly between 0 and this on top
};

class network {
public:
  explicit network(network_options options)
      : options_{options}
      , random_{options.seed} {
    std::vector<node_id> ids;
    for (node_id id = 1; id <= options.nodes; ++id)
      ids.push_back(id);
    for (auto id : ids) {
      auto& one = nodes_[id];
      one.clock_ms = pick(0, 1'000'000'000);
      one.seen = std::make_unique<detector>(id, one.boot, detector_limits{}, one.clock_ms);
      one.seen->set_members(ids, one.clock_ms);
      push(pick(0, 49), {kind::tick, id, 0, one.life, {}});
    }
  }

  void run(std::int64_t for_ms) {
    for (auto end_ms = now_ms + for_ms; !events_.empty() && events_.top().at_ms < end_ms;) {
      auto next = events_.top();
      events_.pop();
      now_ms = next.at_ms;
      handle(next.what);
    }
  }

  void kill(node_id id) {
    nodes_[id].alive = false;
    ++nodes_[id].life;
  }
  /// A killed node starts again, with a later boot.
  void start(node_id id) {
    auto& one = nodes_[id];
    one.alive = true;
    ++one.boot;
    one.clock_ms = pick(0, 1'000'000'000);
    one.began_ms = now_ms;
    one.seen = std::make_unique<detector>(id, one.boot, detector_limits{}, one.clock_ms);
    std::vector<node_id> ids;
    for (auto& [other, unused] : nodes_)
      ids.push_back(other);
    one.seen->set_members(ids, one.clock_ms);
    push(now_ms, {kind::tick, id, 0, one.life, {}});
  }
  /// Nothing runs, nothing is read; what comes waits.
  void freeze(node_id id) { nodes_[id].frozen = true; }
  void thaw(node_id id) {
    auto& one = nodes_[id];
    one.frozen = false;
    auto held = std::move(one.held);
    one.held.clear();
    if (random_() % 2 == 0) std::rotate(held.begin(), held.end() - (held.empty() ? 0 : 1), held.end());
    for (auto& what : held)
      handle(what);
  }
  void cut(node_id from, node_id to) { cut_.insert({from, to}); }
  void cut_both(node_id a, node_id b) {
    cut(a, b);
    cut(b, a);
  }
  void heal() { cut_.clear(); }

  detector& at(node_id id) { return *nodes_[id].seen; }
  node_state seen(node_id by, node_id of) { return at(by).state_of(of); }
  bool all_up() {
    for (auto& [id, one] : nodes_)
      if (one.alive && at(id).up().size() != nodes_.size()) return false;
    return true;
  }
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>{low, high}(random_);
  }

  struct observed {
    std::int64_t at_ms;
    node_id by;
    member_change what;
  };
  std::vector<observed> downs; ///< every change to down
  std::uint64_t suspicions = 0;
  std::uint64_t sent = 0;
  std::uint64_t view_changes = 0;
  std::int64_t now_ms = 0;

private:
  enum class kind { tick, message };
  struct event {
    kind what;
    node_id to;
    node_id from;
    unsigned life; ///< of the receiver, for ticks
    std::shared_ptr<heartbeat> beat;
  };
  struct timed {
    std::int64_t at_ms;
    std::uint64_t number; ///< equal times keep their order
    event what;
    bool operator<(const timed& other) const {
      return std::tie(other.at_ms, other.number) < std::tie(at_ms, number);
    }
  };
  struct node {
    std::unique_ptr<detector> seen;
    std::int64_t clock_ms = 0; ///< its steady clock when it began
    std::int64_t began_ms = 0;
    std::uint32_t boot = 1;
    unsigned life = 0;
    bool alive = true;
    bool frozen = false;
    std::vector<event> held;
    std::map<node_id, std::int64_t> last_arrival_ms; ///< at each other node: a connection keeps the order
  };

  void push(std::int64_t at_ms, event what) { events_.push({at_ms, ++number_, std::move(what)}); }

  void handle(const event& what) {
    auto& one = nodes_[what.to];
    if (!one.alive || (what.what == kind::tick && what.life != one.life)) return;
    if (one.frozen) {
      one.held.push_back(what);
      return;
    }
    auto local_ms = one.clock_ms + now_ms - one.began_ms;
    if (what.what == kind::message) {
      observe(what.to, one.seen->hear(what.from, *what.beat, local_ms));
      return;
    }
    auto ticked = one.seen->tick(local_ms);
    observe(what.to, ticked.changed);
    if (ticked.send) send(what.to, one, local_ms);
    push(now_ms + 50, what);
  }

  void send(node_id from, node& one, std::int64_t local_ms) {
    auto beat = std::make_shared<heartbeat>(one.seen->make_heartbeat({}, local_ms, now_ms));
    for (auto& [to, other] : nodes_) {
      if (to == from) continue;
      ++sent;
      if (cut_.count({from, to}) != 0) continue;
      if (std::uniform_real_distribution<>{}(random_) < options_.loss) continue;
      auto at_ms = now_ms + options_.delay_ms + (options_.jitter_ms > 0 ? pick(0, options_.jitter_ms) : 0);
      auto& last_ms = one.last_arrival_ms[to];
      last_ms = std::max(last_ms, at_ms);
      push(last_ms, {kind::message, to, from, 0, beat});
    }
  }

  void observe(node_id by, const detector::changes& changed) {
    for (const auto& one : changed) {
      if (one.to == node_state::down) downs.push_back({now_ms, by, one});
      if (one.to == node_state::suspect) ++suspicions;
      if ((one.from == node_state::down) != (one.to == node_state::down)) ++view_changes;
    }
  }

  network_options options_;
  std::mt19937 random_;
  std::map<node_id, node> nodes_;
  std::set<std::pair<node_id, node_id>> cut_;
  std::priority_queue<timed> events_;
  std::uint64_t number_ = 0;
};

std::string told(const network& net) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(net.downs.size(), 20); ++i) {
    const auto& one = net.downs[i];
    text += std::to_string(one.at_ms) + " ms: node " + std::to_string(one.by) + " has "
            + std::to_string(one.what.node) + " down, " + std::string{name_of(one.what.cause)} + " "
            + std::to_string(one.what.silent_ms) + " ms\n";
  }
  return text;
}

unsigned first_seed() {
  const char* text = std::getenv("PICKET_DETECTOR_SEED");
  return text == nullptr ? 1U : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

/// How many minutes a fault-free network is watched; sanitizers are slow.
std::int64_t watched_minutes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 10;
#else
  return 100;
#endif
}

class DetectorNetwork : public ::testing::TestWithParam<std::size_t> {
protected:
  network_options with(unsigned seed) const {
    network_options options;
    options.nodes = GetParam();
    options.seed = seed;
    return options;
  }
  /// A network in which all are up, and its faults may begin.
  std::unique_ptr<network> settled(network_options options) {
    auto net = std::make_unique<network>(options);
    net->run(8'000 + net->pick(0, 1'000));
    EXPECT_TRUE(net->all_up()) << "seed " << options.seed << "\n" << told(*net);
    EXPECT_TRUE(net->downs.empty());
    return net;
  }
  static constexpr unsigned seeds = 40;
  static constexpr std::int64_t limit_ms = 3'000;
};

TEST_P(DetectorNetwork, WithoutAFaultNobodyIsEverDown) {
  struct weather {
    const char* name;
    double loss;
    std::int64_t jitter_ms;
  };
  for (auto one : {weather{"jitter 300 ms", 0, 300}, weather{"loss 5 %, jitter 300 ms", 0.05, 300}}) {
    auto options = with(first_seed());
    options.loss = one.loss;
    options.jitter_ms = one.jitter_ms;
    network net{options};
    net.run(10'000);
    ASSERT_TRUE(net.all_up());
    net.sent = 0;
    net.run(watched_minutes() * 60'000);
    EXPECT_TRUE(net.downs.empty()) << "seed " << options.seed << ", " << one.name << "\n" << told(net);
    EXPECT_TRUE(net.all_up());
    std::printf("%zu nodes, %s: %lld min, %llu suspicions, %zu false downs\n", GetParam(), one.name,
                static_cast<long long>(watched_minutes()), static_cast<unsigned long long>(net.suspicions),
                net.downs.size());
  }
}

TEST_P(DetectorNetwork, AProcessThatStandsStillForTwoSecondsTakesNobodyDown) {
  auto options = with(first_seed());
  options.jitter_ms = 300;
  auto net = settled(options);
  for (int i = 0; i < 100; ++i) {
    auto still = static_cast<node_id>(net->pick(1, static_cast<std::int64_t>(GetParam())));
    net->freeze(still);
    net->run(2'000);
    net->thaw(still);
    net->run(8'000 + net->pick(0, 200));
  }
  EXPECT_TRUE(net->downs.empty()) << "seed " << options.seed << "\n" << told(*net);
  EXPECT_TRUE(net->all_up());
}

TEST_P(DetectorNetwork, WhoStoodStillForLongBlamesNobody) {
  for (unsigned seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    auto options = with(seed);
    options.jitter_ms = 300;
    auto net = settled(options);
    net->freeze(1);
    net->run(net->pick(3'200, 60'000));
    net->thaw(1);
    net->run(20'000);
    for (const auto& one : net->downs)
      if (one.by == 1) {
        // It may learn that the others had given it up, for which it does not hear them any less.
        EXPECT_NE(one.what.cause, change_cause::silent) << "seed " << seed << "\n" << told(*net);
      }
    EXPECT_TRUE(net->all_up()) << "and it is back by itself, seed " << seed;
  }
}

/// Every node of `by` has every node of `of` down within the limit after the fault, and nobody else.
void expect_down(network& net, unsigned seed, std::int64_t fault_ms, const std::set<node_id>& by,
                 const std::set<node_id>& of, std::int64_t limit_ms) {
  std::map<std::pair<node_id, node_id>, std::int64_t> when;
  for (const auto& one : net.downs) {
    EXPECT_TRUE(by.count(one.by) != 0 && of.count(one.what.node) != 0)
        << "node " << one.by << " has " << one.what.node << " down, seed " << seed << "\n"
        << told(net);
    when.emplace(std::make_pair(one.by, one.what.node), one.at_ms);
  }
  for (auto watcher : by)
    for (auto lost : of) {
      if (watcher == lost) continue;
      auto found = when.find({watcher, lost});
      ASSERT_TRUE(found != when.end()) << watcher << " has not noticed " << lost << ", seed " << seed;
      EXPECT_LE(found->second - fault_ms, limit_ms) << watcher << " about " << lost << ", seed " << seed;
    }
}

std::set<node_id> from_to(std::size_t first, std::size_t last) {
  std::set<node_id> ids;
  for (auto id = first; id <= last; ++id)
    ids.insert(static_cast<node_id>(id));
  return ids;
}

TEST_P(DetectorNetwork, AKilledNodeIsDownWithinThreeSeconds) {
  for (unsigned seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    auto options = with(seed);
    options.jitter_ms = 300;
    auto net = settled(options);
    auto fault_ms = net->now_ms;
    net->kill(1);
    net->run(6'000);
    expect_down(*net, seed, fault_ms, from_to(2, GetParam()), {1}, limit_ms);
    net->start(1);
    net->run(10'000);
    EXPECT_TRUE(net->all_up()) << "seed " << seed;
  }
}

TEST_P(DetectorNetwork, AFrozenNodeIsDownWithinThreeSecondsAndComesBackByItself) {
  for (unsigned seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    auto options = with(seed);
    options.jitter_ms = 300;
    auto net = settled(options);
    auto fault_ms = net->now_ms;
    net->freeze(1);
    net->run(6'000);
    expect_down(*net, seed, fault_ms, from_to(2, GetParam()), {1}, limit_ms);
    net->thaw(1);
    net->run(10'000);
    EXPECT_TRUE(net->all_up()) << "seed " << seed;
  }
}

TEST_P(DetectorNetwork, APartitionIsSeenOnBothSidesAndHeals) {
  for (unsigned seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    auto options = with(seed);
    options.jitter_ms = 300;
    auto net = settled(options);
    auto fault_ms = net->now_ms;
    auto minority = GetParam() / 2;
    for (auto a : from_to(1, minority))
      for (auto b : from_to(minority + 1, GetParam()))
        net->cut_both(a, b);
    net->run(6'000);
    std::size_t noticed = 0;
    for (const auto& one : net->downs) {
      EXPECT_LE(one.at_ms - fault_ms, limit_ms) << "seed " << seed;
      EXPECT_NE(one.by <= minority, one.what.node <= minority) << "across the cut only, seed " << seed;
      ++noticed;
    }
    EXPECT_EQ(noticed, 2 * minority * (GetParam() - minority)) << "seed " << seed;
    EXPECT_EQ(net->at(1).up().size(), minority);
    net->heal();
    net->run(10'000);
    EXPECT_TRUE(net->all_up()) << "seed " << seed;
  }
}

TEST_P(DetectorNetwork, ACutInOneDirectionIsSeenAtBothEnds) {
  for (unsigned seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    auto options = with(seed);
    options.jitter_ms = 300;
    auto net = settled(options);
    auto fault_ms = net->now_ms;
    net->cut(1, 2); // 2 does not hear 1, which hears 2 and everybody
    net->run(6'000);
    expect_down(*net, seed, fault_ms, {1, 2}, {1, 2}, limit_ms);
    net->heal();
    net->run(10'000);
    EXPECT_TRUE(net->all_up()) << "seed " << seed;
    EXPECT_EQ(net->downs.size(), 2u) << "once each, seed " << seed;
  }
}

TEST_P(DetectorNetwork, ANodeThatNobodyHearsIsDownForAllAndFindsAllDown) {
  for (unsigned seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    auto options = with(seed);
    options.jitter_ms = 300;
    options.loss = 0.05;
    auto net = settled(options);
    auto fault_ms = net->now_ms;
    for (auto other : from_to(2, GetParam()))
      net->cut(1, other);
    net->run(6'000);
    // With losses on top the limit is one interval longer.
    for (auto other : from_to(2, GetParam())) {
      EXPECT_EQ(net->seen(other, 1), node_state::down) << "seed " << seed;
      EXPECT_EQ(net->seen(1, other), node_state::down) << "seed " << seed;
    }
    for (const auto& one : net->downs)
      EXPECT_LE(one.at_ms - fault_ms, limit_ms + 600) << told(*net) << "seed " << seed;
  }
}

TEST_P(DetectorNetwork, ANodeThatFlapsDoesNotShakeTheView) {
  for (unsigned seed = first_seed(); seed < first_seed() + 5; ++seed) {
    auto net = settled(with(seed));
    net->view_changes = 0;
    for (int i = 0; i < 60; ++i) { // ten minutes: 4 s away, 6 s there
      net->freeze(1);
      net->run(4'000);
      net->thaw(1);
      net->run(6'000);
    }
    auto watchers = GetParam() - 1;
    std::size_t changes = 0;
    for (const auto& one : net->downs)
      changes += one.by != 1 ? 1 : 0;
    EXPECT_LE(changes, watchers * 8) << "of 60 times that it went away, seed " << seed;
    net->run(70'000);
    EXPECT_TRUE(net->all_up()) << "and when it stays, it is taken back, seed " << seed;
  }
}

TEST_P(DetectorNetwork, RandomFaultsEndInOneView) {
  for (unsigned seed = first_seed(); seed < first_seed() + seeds; ++seed) {
    auto options = with(seed);
    options.jitter_ms = 100;
    options.loss = 0.02;
    auto net = settled(options);
    std::set<node_id> dead;
    std::set<node_id> frozen;
    for (int step = 0; step < 30; ++step) {
      auto one = static_cast<node_id>(net->pick(1, static_cast<std::int64_t>(GetParam())));
      auto other = static_cast<node_id>(net->pick(1, static_cast<std::int64_t>(GetParam())));
      switch (net->pick(0, 6)) {
      case 0:
        if (frozen.count(one) != 0) break;
        if (dead.insert(one).second) net->kill(one);
        break;
      case 1:
        if (dead.erase(one) != 0) net->start(one);
        break;
      case 2:
        if (dead.count(one) == 0 && frozen.insert(one).second) net->freeze(one);
        break;
      case 3:
        if (frozen.erase(one) != 0) net->thaw(one);
        break;
      case 4:
        net->cut(one, other);
        break;
      case 5:
        net->cut_both(one, other);
        break;
      default:
        net->heal();
        break;
      }
      net->run(net->pick(10, 5'000));
    }
    net->heal();
    for (auto one : frozen)
      net->thaw(one);
    for (auto one : dead)
      net->start(one);
    net->run(30'000);
    EXPECT_TRUE(net->all_up()) << "seed " << seed;
  }
}

TEST_P(DetectorNetwork, HeartbeatsGrowWithTheNumberOfMembersOnly) {
  auto net = settled(with(first_seed()));
  net->sent = 0;
  net->run(60'000);
  auto a_second = static_cast<double>(net->sent) / 60.0 / static_cast<double>(GetParam());
  auto others = static_cast<double>(GetParam() - 1);
  EXPECT_NEAR(a_second, others * 5, others * 0.1);
  own_figures own;
  own.version = "0.1.0";
  auto local_ms = 3'000'000'000;
  detector large{1, 1, {}, local_ms};
  std::vector<node_id> ids;
  for (node_id id = 1; id <= 100; ++id)
    ids.push_back(id);
  large.set_members(ids, local_ms);
  for (node_id id = 2; id <= 100; ++id) {
    heartbeat beat;
    beat.boot = beat.sequence = 1;
    large.hear(id, beat, local_ms);
  }
  auto bytes = protocol::peer::encode(large.make_heartbeat(own, local_ms + 150, 1'700'000'000'000)).size();
  std::printf("%zu nodes: each sends and gets %.1f heartbeats a second; 100 nodes: %.0f of %zu bytes, "
              "%.0f KiB a second each way\n",
              GetParam(), a_second, 5.0 * 99, bytes, 5.0 * 99 * static_cast<double>(bytes) / 1024);
  EXPECT_LT(bytes, 1'024u);
}

INSTANTIATE_TEST_SUITE_P(, DetectorNetwork, ::testing::Values(3, 5, 9),
                         [](const auto& tested) { return "Of" + std::to_string(tested.param); });

} // namespace
} // namespace picket
