#pragma once

#include "engine/text/hash.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace picket::engine {

/// Memory of `if_fts` (rules.md 5): which keys were seen before. Thread-safe. One per node; the copy of other
/// nodes and of the disk is the implementation's affair.
class first_seen {
public:
  virtual ~first_seen() = default;

  virtual bool contains(std::string_view key) const = 0;
  /// True exactly for the one caller that brings the key first.
  virtual bool insert_if_new(std::string_view key) = 0;
  /// The key as it is stored for decoders of type `ids`: cut if it resembles three of the recent ones
  /// (rules.md 5).
  virtual std::string cut_if_similar(std::string_view key) const = 0;
  /// Puts a stored key of type `ids` among the recent ones.
  virtual void remember_recent(std::string_view key) = 0;
};

struct first_seen_limits {
  std::size_t keys_max = 1'000'000;
  std::size_t recent_max = 32;    ///< `fts_list_size`
  std::size_t similar_bytes = 14; ///< `fts_min_size_for_str`
  std::size_t key_bytes_max = 256;
};

/// In memory; the oldest keys go when the limit is reached, counted.
class first_seen_in_memory final : public first_seen {
public:
  explicit first_seen_in_memory(first_seen_limits limits = {}, hash_seed seed = {});

  bool contains(std::string_view key) const override;
  bool insert_if_new(std::string_view key) override;
  std::string cut_if_similar(std::string_view key) const override;
  void remember_recent(std::string_view key) override;

  std::size_t size() const;
  std::uint64_t evicted() const;
  /// All keys, oldest first, for a store on disk.
  std::vector<std::string> keys() const;

private:
  struct seeded {
    hash_seed seed;
    std::size_t operator()(std::string_view text) const noexcept { return keyed_hash(text, seed); }
  };

  first_seen_limits limits_;
  mutable std::mutex mutex_;
  std::list<std::string> order_; ///< oldest first
  std::unordered_set<std::string_view, seeded> index_;
  std::deque<std::string> recent_; ///< newest first
  std::uint64_t evicted_ = 0;
};

} // namespace picket::engine
