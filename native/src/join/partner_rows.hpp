// What a partner trains on and scores with: the digits of a folder, or the rows of a table as the plan's task makes them. They
// stay on this machine.
//
//   ENTENTE_ASSIGN(PartnerRows rows, PartnerRows::load(config, plan, environment));
//   rows.show(environment);                       // before anything is agreed to
//   ENTENTE_TRY(rows.scale(*train.shared));       // once everybody's statistics are known
//   Trainer trainer(rows.train(), rows.train_rows(), threads);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "entente/plan/model_file.hpp"
#include "entente/plan/plan.hpp"
#include "entente/task/predictions.hpp"
#include "entente/task/sums.hpp"
#include "join/partner_config.hpp"

namespace entente::native {

class PartnerRows {
public:
    // What can be said before the plan is known: "config.no-data"; of a folder everything that load() says of digits.
    static Status look(const PartnerConfig& config, commands::Environment& environment);
    // "config.data" when there is a folder where the plan wants a table, or the other way round; errors of the readers and of
    // task::prepare, such as "table.too-few".
    static Result<PartnerRows> load(const PartnerConfig& config, const plan::Plan& plan, commands::Environment& environment);

    // Of a table: columns, what they are mapped to, what is used, and the sums that leave this machine, if any. Of digits nothing.
    void show(commands::Environment& environment) const;
    // Scales anew; the data sets are others then. True when they are. Digits stay.
    Result<bool> scale(const task::Shared& shared);

    [[nodiscard]] const std::shared_ptr<const data::Dataset>& train() const noexcept { return train_; }
    [[nodiscard]] const std::vector<std::uint32_t>& train_rows() const noexcept { return train_rows_; }  // empty: all
    [[nodiscard]] const std::shared_ptr<const data::Dataset>& test() const noexcept { return test_; }
    [[nodiscard]] const std::vector<std::uint32_t>& test_rows() const noexcept { return test_rows_; }
    [[nodiscard]] std::size_t examples() const noexcept { return train_rows_.empty() ? train_->size() : train_rows_.size(); }
    [[nodiscard]] const std::optional<task::Task>& task() const noexcept { return task_; }
    [[nodiscard]] const std::vector<std::int32_t>& sums() const noexcept { return sums_; }  // empty: the task shares none

    // {"digest":"…","train":1040,"test":480}: what a model card says of these rows (commands/rows_digest.hpp). REQUIRES: task().
    [[nodiscard]] std::string data_json() const;
    // By the task's metrics, in its order. REQUIRES: task().
    Result<std::vector<std::optional<double>>> metrics(std::span<const float> parameters) const;
    // The model and, calibrated with the own rows, its alarm, in that folder, for `entente score`; what was kept, as a sentence, and why there is no
    // alarm if there is none. Refused where the contract does not permit it. REQUIRES: task().
    Result<std::string> keep(const plan::Plan& plan, std::span<const float> parameters, const std::string& folder) const;

private:
    Status load_digits(const PartnerConfig& config, commands::Environment& environment);
    Status load_table(const PartnerConfig& config, const plan::Plan& plan, commands::Environment& environment);
    void take(task::Prepared prepared);
    Result<std::string> calibrate(const plan::ModelFile& model, const std::string& folder) const;

    std::shared_ptr<const data::Dataset> train_;
    std::vector<std::uint32_t> train_rows_;
    std::shared_ptr<const data::Dataset> test_;
    std::vector<std::uint32_t> test_rows_;
    std::string file_;
    std::optional<task::Task> task_;
    task::Rows rows_;
    std::shared_ptr<const task::Prepared> prepared_;
    std::vector<std::int32_t> sums_;
};

// "auc 0.7812, brier 0.1034"; metrics that are undefined are left out.
std::string metrics_text(const task::Task& task, const std::vector<std::optional<double>>& values);
// {"auc":0.7812,"brier":null}
std::string metrics_json(const task::Task& task, const std::vector<std::optional<double>>& values);

}  // namespace entente::native
