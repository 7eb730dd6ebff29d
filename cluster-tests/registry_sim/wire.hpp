#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>

#include "actors/registry/batcher.hpp"
#include "actors/registry/store.hpp"
#include "actors/testing/memory_store.hpp"

namespace picket::registry_sim {

using picket::testing::memory_store;

/// How often what goes wrong on the way, in thousandths of the questions.
struct wire_faults {
  unsigned refused = 0;     ///< no connection: surely not done
  unsigned lost_before = 0; ///< never arrives
  unsigned lost_after = 0;  ///< is done, and the answer is lost
  unsigned late = 0;        ///< arrives up to three seconds later, mostly after the asker gave up
  unsigned watch_cut = 0;   ///< of the looks at a watch
  unsigned watch_repeated = 0;
};

/// The way between nodes and a memory store, in virtual time and by a seed: questions and answers take time,
/// overtake each other, get lost; watches lag, stall, are cut and repeat themselves.
class wire {
public:
  wire(memory_store& store, std::mt19937_64& random)
      : store_{store}
      , random_{random} {}

  void commit(int node, const registry::commit_request& request,
              std::function<void(const registry::commit_outcome&)> done);
  void head(int node, std::int64_t limit_ms, std::function<void(const registry::head_answer&)> done);
  void load(int node, const registry::load_position& from, std::int64_t limit_ms,
            std::function<void(const registry::load_page&)> done);
  std::uint64_t open_watch(int node, std::uint64_t from);
  registry::stream_step look(std::uint64_t watch);
  void close_watch(std::uint64_t watch) { watches_.erase(watch); }

  /// Lets what is on its way arrive until then.
  void advance(std::int64_t to_ms);
  std::int64_t now_ms() const noexcept { return now_ms_; }

  /// The node has no connection until then; its watch ends, or says nothing if `silent`.
  void cut_off(int node, std::int64_t until_ms, bool silent);
  /// The store answers nobody until then; what has arrived may be done afterwards.
  void take_quorum(std::int64_t until_ms) { no_quorum_until_ms_ = until_ms; }
  /// The node's open watches give nothing any more, without an error.
  void stall_watches(int node);
  void heal();

  wire_faults faults;

private:
  struct watching {
    int node = 0;
    std::uint64_t next = 0;
    bool stalled = false;
    bool lost = false;
  };

  bool chance(unsigned thousandths) { return random_() % 1'000 < thousandths; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool connected(int node) const;
  void at(std::int64_t when_ms, std::function<void()> what) { events_.emplace(when_ms, std::move(what)); }

  template <class Answer>
  void ask(int node, std::int64_t limit_ms, bool kept, std::function<Answer()> act,
           std::function<Answer(bool may_be_done)> failed, std::function<void(const Answer&)> done);
  template <class Answer>
  void arrive(int node, bool kept, std::function<Answer()> act, std::function<void(const Answer&)> give);

  memory_store& store_;
  std::mt19937_64& random_;
  std::int64_t now_ms_ = 0;
  std::multimap<std::int64_t, std::function<void()>> events_;
  std::map<std::uint64_t, watching> watches_;
  std::uint64_t last_watch_ = 0;
  std::map<int, std::int64_t> cut_until_ms_;
  std::int64_t no_quorum_until_ms_ = 0;
};

} // namespace picket::registry_sim
