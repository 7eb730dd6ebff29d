#pragma once

#include <chrono>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/expected.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

namespace picket::testing {

/// Actors on CAF's deterministic scheduler: nothing happens until the test says so, and time is the test's.
/// An actor that is left alive at the end is a failure, not a hanging test.
class deterministic_actors : public ::testing::Test {
protected:
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
      set("logger.inline-output", true);
    }
  };

  template <class F, class... Ts>
  auto spawn(F fun, Ts&&... xs) {
    auto handle = sys.spawn(fun, std::forward<Ts>(xs)...);
    spawned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    run();
    return handle;
  }

  void run() { sched.run(); }

  /// Lets `total` pass in steps, so that timers that are set on the way fire as well.
  void advance(std::chrono::milliseconds total,
               std::chrono::milliseconds step = std::chrono::milliseconds{10}) {
    while (total.count() > 0) {
      sched.advance_time(std::min(step, total));
      sched.run();
      total -= step;
    }
  }

  /// Asks and runs. A missing answer is an error value, never a hanging test.
  template <class T, class Handle, class... Ts>
  caf::expected<T> ask(const Handle& to, Ts&&... xs) {
    auto pending = self->request(to, caf::infinite, std::forward<Ts>(xs)...);
    run();
    caf::expected<T> answer{caf::make_error(caf::sec::request_timeout)};
    if (!self->mailbox().empty())
      pending.receive([&](T& x) { answer = std::move(x); },
                      [&](caf::error& err) { answer = std::move(err); });
    return answer;
  }

  template <class Handle, class... Ts>
  void tell(const Handle& to, Ts&&... xs) {
    self->send(to, std::forward<Ts>(xs)...);
    run();
  }

  void TearDown() override {
    for (auto& one : spawned_)
      self->send_exit(caf::actor_cast<caf::actor>(one), caf::exit_reason::kill);
    spawned_.clear();
    run();
    EXPECT_EQ(sys.registry().running(), 1u) << "an actor outlives its test";
  }

  config cfg;
  caf::actor_system sys{cfg};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  caf::scoped_actor self{sys, true};

private:
  std::vector<caf::strong_actor_ptr> spawned_;
};

} // namespace picket::testing
