#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <unordered_map>

#include "net/connection.hpp"

namespace picket::net {

struct provisional_limits {
  std::size_t total = 0;   ///< at least 1
  std::size_t per_key = 0; ///< 0: no limit
  std::size_t bytes = 0;   ///< that all together may hold; 0: no limit
};

/// Connections that are there on sufferance: they have not proven anything yet, or were refused and only
/// wait. Each belongs to a key, its address or its agent.
///
/// At a limit the one that has been there longest makes room, not the newcomer: whoever has something to
/// prove does so at once, so it is those that only sit there which go, and a flood of them keeps nobody out.
/// Bound: `total`. Thread-safe.
template <class Key, class Hash = std::hash<Key>>
class provisional_connections {
public:
  using ticket = std::uint64_t; ///< 0: none

  explicit provisional_connections(provisional_limits limits)
      : limits_{limits} {}

  /// A connection comes in. `end` closes it; called at most once, on any thread, if its place is taken.
  /// `displaced` is true if another one had to go.
  ticket enter(const Key& key, std::function<void()> end, bool& displaced) {
    std::function<void()> end_other;
    ticket given = 0;
    {
      std::lock_guard lock{mutex_};
      auto own = by_key_.find(key);
      if (limits_.per_key > 0 && own != by_key_.end() && own->second.size() >= limits_.per_key)
        end_other = drop(own->second.front());
      else if (by_age_.size() >= limits_.total)
        end_other = drop(by_age_.front().id);
      given = ++last_;
      auto& tickets = by_key_[key];
      tickets.push_back(given);
      by_age_.push_back({given, key, std::move(end), 0, std::prev(tickets.end())});
      by_id_.emplace(given, std::prev(by_age_.end()));
    }
    displaced = static_cast<bool>(end_other);
    if (end_other) end_other();
    return given;
  }

  /// It has proven itself, or is gone. A ticket that is not known any more is nothing.
  void leave(ticket id) {
    std::lock_guard lock{mutex_};
    drop(id);
  }

  /// The connection holds so many bytes now. False: all together hold too many, this one should go.
  bool holds(ticket id, std::size_t bytes) {
    std::lock_guard lock{mutex_};
    auto found = by_id_.find(id);
    if (found == by_id_.end()) return true;
    bytes_ += bytes - found->second->bytes;
    found->second->bytes = bytes;
    return limits_.bytes == 0 || bytes == 0 || bytes_ <= limits_.bytes;
  }

  /// Ends the one that has been there longest. False: there is none.
  bool end_oldest() {
    std::function<void()> end;
    {
      std::lock_guard lock{mutex_};
      if (by_age_.empty()) return false;
      end = drop(by_age_.front().id);
    }
    end();
    return true;
  }

  std::size_t size() const {
    std::lock_guard lock{mutex_};
    return by_age_.size();
  }

private:
  struct entry {
    ticket id;
    Key key;
    std::function<void()> end;
    std::size_t bytes;
    std::list<ticket>::iterator in_key;
  };

  std::function<void()> drop(ticket id) {
    auto found = by_id_.find(id);
    if (found == by_id_.end()) return {};
    auto at = found->second;
    by_id_.erase(found);
    auto own = by_key_.find(at->key);
    own->second.erase(at->in_key);
    if (own->second.empty()) by_key_.erase(own);
    bytes_ -= at->bytes;
    auto end = std::move(at->end);
    by_age_.erase(at);
    return end;
  }

  const provisional_limits limits_;
  mutable std::mutex mutex_;
  std::list<entry> by_age_; ///< oldest first
  std::unordered_map<ticket, typename std::list<entry>::iterator> by_id_;
  std::unordered_map<Key, std::list<ticket>, Hash> by_key_; ///< oldest first
  std::size_t bytes_ = 0;
  ticket last_ = 0;
};

/// Closes the connection on its own thread; at once if that is this one.
std::function<void()> closer(connection& which);

} // namespace picket::net
