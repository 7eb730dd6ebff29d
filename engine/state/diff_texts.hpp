#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace picket::engine {

/// The texts of `check_diff` (rules.md 6.1): the last log per host name and rule. Bounded by bytes; what was
/// stored longest ago goes first, counted.
class diff_texts {
public:
  static constexpr std::size_t log_bytes_max = 65'535; ///< longer logs are neither compared nor stored

  explicit diff_texts(std::size_t bytes_max)
      : bytes_max_(bytes_max) {}

  /// Null if nothing is stored.
  const std::string* find(std::string_view host, std::uint32_t rule_id) const;
  void store(std::string_view host, std::uint32_t rule_id, std::string_view text);

  std::size_t size() const noexcept { return entries_.size(); }
  std::uint64_t evicted() const noexcept { return evicted_; }

  friend bool operator==(const diff_texts& a, const diff_texts& b) { return a.entries_ == b.entries_; }

private:
  friend class state_writer;
  friend class state_reader;
  struct entry {
    std::string key; ///< rule id in four bytes, then the host name
    std::string text;
    friend bool operator==(const entry&, const entry&) = default;
  };
  static std::string key_of(std::string_view host, std::uint32_t rule_id);
  void store_key(std::string key, std::string_view text);

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t evicted_ = 0;
  std::list<entry> entries_; ///< oldest first
  std::unordered_map<std::string, std::list<entry>::iterator> index_;
};

} // namespace picket::engine
