#pragma once

#include "actors/registry/replica.hpp"
#include "actors/testing/memory_store.hpp"

namespace picket::testing {

/// Does one thing that the replica wants. False: its watch has nothing for it.
inline bool follow_once(registry::replica& copy, memory_store& store, std::int64_t now_ms) {
  auto wish = copy.wish();
  switch (wish.what) {
  case registry::replica_wish::kind::head:
    copy.took_head(wish.number, store.head(0), now_ms);
    return true;
  case registry::replica_wish::kind::load:
    copy.took_page(wish.number, store.load(wish.page, 0), now_ms);
    return true;
  case registry::replica_wish::kind::watch:
    break;
  }
  auto next = wish.watch_from;
  auto step = store.read_changes(next, 3);
  copy.took_changes(wish.number, step, now_ms);
  return !step.changes.empty() || step.end.has_value();
}

/// Lets the replica catch up with the store.
inline void follow(registry::replica& copy, memory_store& store, std::int64_t now_ms) {
  for (int step = 0; step < 10'000 && follow_once(copy, store, now_ms); ++step) {
  }
}

} // namespace picket::testing
