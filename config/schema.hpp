#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The one table of all settings: the commented default file, the manual's page, the validation and the typed
/// access come from it.

namespace picket::config {

/// Who decides: `node` keys are this node's own; `cluster` keys are one value for all nodes, which the file
/// only seeds at the very first start.
enum class scope : std::uint8_t { node, cluster };

enum class takes_effect : std::uint8_t { at_start, at_once };

/// Where a value goes; its type is the setting's type.
using target = std::variant<std::string*, std::int64_t*, bool*, std::filesystem::path*, listen_address*,
                            address_ranges*>;

struct setting {
  std::string_view key;           ///< dotted
  target (*of)(settings&);        ///< the member that it fills
  std::string_view default_value; ///< as it would be written
  std::int64_t min = 0;           ///< of numbers
  std::int64_t max = 0;
  bool zero_too = false;         ///< 0 is allowed below `min`, it means "off" or "chosen by the node"
  std::string_view choices = {}; ///< of texts: allowed words, blank between; empty: any text
  config::scope scope = scope::node;
  takes_effect when = takes_effect::at_start;
  std::string_view summary = {}; ///< a sentence or two for the operator
  std::string_view example = {}; ///< another sensible value
};

struct section {
  std::string_view name;
  std::string_view title;
};

/// In the order of the file.
std::span<const setting> schema() noexcept;
std::span<const section> sections() noexcept;
const setting* find_setting(std::string_view key) noexcept;
/// The known key that the misspelt one is nearest to, if any is near.
std::optional<std::string_view> nearest_key(std::string_view key);

/// `PICKET_` and the key in capitals, `__` for each dot: PICKET_ENROLLMENT__FORCE__ENABLED.
std::string environment_name(std::string_view key);

/// "text", "path", "number", "yes or no", "address:port", "addresses", or the choices.
std::string type_text(const setting& row);
/// The value allowed, as a message says it: "100 to 600000", "interval or strict".
std::string allowed_text(const setting& row);

/// Reads a value into its member; the text of the problem if it is not allowed.
std::optional<std::string> assign(const setting& row, std::string_view text, settings& to);
/// The member's value as it would be written.
std::string value_text(const setting& row, const settings& from);

/// host:port, [v6]:port, or :port.
std::optional<listen_address> parse_listen_address(std::string_view text);
std::string to_text(const listen_address& address);

/// "192.0.2.10", "10.0.0.0/8", "2001:db8::/32": no bit may be set behind the prefix. An IPv4-mapped IPv6
/// range of 96 bits and more is one of IPv4.
std::optional<address_range> parse_address_range(std::string_view text);
std::string to_text(const address_range& range);
/// Ranges of one setting.
inline constexpr std::size_t max_address_ranges = 64;

} // namespace picket::config
