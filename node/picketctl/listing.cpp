#include "node/picketctl/listing.hpp"

#include <ostream>

#include <nlohmann/json.hpp>

namespace picket::ctl {

tl::expected<json, exit_code> ask_all_pages(session& with,
                                            const std::function<api_request(std::size_t)>& page) {
  json items = json::array();
  while (true) {
    auto body = ask_json(with, page(items.size()));
    if (!body) return body;
    auto data = body->find("data");
    bool sound = data != body->end() && data->is_object() && data->contains("affected_items")
                 && (*data)["affected_items"].is_array();
    if (!sound) {
      complain(with, {errc::io, "the answer holds no items", {}, "is this the admin endpoint of Picket?"});
      return tl::unexpected(exit_code::unreachable);
    }
    auto& got = (*data)["affected_items"];
    bool last = got.empty();
    for (auto& item : got)
      items.push_back(std::move(item));
    auto total = data->value("total_affected_items", json(0));
    if (last || !total.is_number_unsigned() || items.size() >= total.get<std::size_t>()) {
      got = std::move(items);
      return body;
    }
  }
}

} // namespace picket::ctl
