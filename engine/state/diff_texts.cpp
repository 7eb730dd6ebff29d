#include "engine/state/diff_texts.hpp"

namespace picket::engine {

namespace {
constexpr std::size_t entry_cost = 200; ///< of an entry besides its text, about
}

std::string diff_texts::key_of(std::string_view host, std::uint32_t rule_id) {
  std::string key;
  for (int shift = 0; shift < 32; shift += 8)
    key.push_back(static_cast<char>(rule_id >> shift));
  key.append(host);
  return key;
}

const std::string* diff_texts::find(std::string_view host, std::uint32_t rule_id) const {
  const auto at = index_.find(key_of(host, rule_id));
  return at == index_.end() ? nullptr : &at->second->text;
}

void diff_texts::store(std::string_view host, std::uint32_t rule_id, std::string_view text) {
  store_key(key_of(host, rule_id), text);
}

void diff_texts::store_key(std::string key, std::string_view text) {
  const auto remove = [&](std::list<entry>::iterator at) {
    bytes_ -= entry_cost + 2 * at->key.size() + at->text.size();
    index_.erase(at->key);
    entries_.erase(at);
  };
  if (const auto at = index_.find(key); at != index_.end()) remove(at->second);
  entry fresh;
  fresh.key = std::move(key);
  fresh.text = text;
  bytes_ += entry_cost + 2 * fresh.key.size() + fresh.text.size();
  entries_.push_back(std::move(fresh));
  index_.emplace(entries_.back().key, std::prev(entries_.end()));
  while (bytes_ > bytes_max_ && entries_.size() > 1) {
    remove(entries_.begin());
    ++evicted_;
  }
}

} // namespace picket::engine
