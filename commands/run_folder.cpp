#include "commands/run_folder.hpp"

#include "commands/export_model.hpp"
#include "commands/ledger_file.hpp"
#include "commands/model_card.hpp"
#include "commands/plan_toml.hpp"
#include "entente/codec/npz.hpp"
#include "entente/codec/onnx.hpp"

namespace entente::commands {

Result<RunSummary> summary_of(const RunSetting& setting, const std::string& label, const RunResult& run) {
    RunSummary summary;
    summary.label = label;
    summary.seed = setting.plan.training.seed;
    summary.rounds = run.federation.rounds();
    summary.round_seconds = run.round_seconds;
    summary.plan = plan::digest_of(setting.plan);
    summary.model = run.federation.model_digest();
    summary.seconds = run.seconds;
    ENTENTE_ASSIGN(const std::vector<task::Score> scores, run.federation.score_partners());
    for (const task::Score& score : scores) summary.partner_accuracy.push_back(score.accuracy());
    return summary;
}

Status write_model_folder(const std::string& folder, const plan::Plan& plan, const memory::Federation& federation,
                          Environment& environment) {
    const auto text = [&](const char* name, const std::string& content) {
        return environment.write_file(folder + "/" + name, as_bytes(std::string_view(content)));
    };
    const auto shapes = plan::tensor_shapes(plan);
    ENTENTE_ASSIGN(const Bytes safetensors, model_as_safetensors(plan, federation.parameters(), federation.model_digest()));
    ENTENTE_TRY(environment.write_file(folder + "/model.safetensors", safetensors));
    ENTENTE_ASSIGN(const Bytes npz, codec::write_npz(shapes, federation.parameters()));
    ENTENTE_TRY(environment.write_file(folder + "/model.npz", npz));
    ENTENTE_ASSIGN(const Bytes onnx, codec::write_onnx(plan.task.model, federation.parameters(),
                                                       {{"plan_digest", to_hex(plan::digest_of(plan))},
                                                        {"content_digest", to_hex(federation.model_digest())}}));
    ENTENTE_TRY(environment.write_file(folder + "/model.onnx", onnx));
    ENTENTE_TRY(environment.write_file(folder + "/ledger.entl", write_ledger_file(federation.ledger())));
    ENTENTE_TRY(text("plan.toml", write_plan_toml(plan)));
    CardFacts facts{plan.federation.name, plan::digest_of(plan), federation.model_digest(), &plan, {}, &federation.ledger()};
    const auto& rounds = federation.rounds();
    if (!rounds.empty() && rounds.back().federated.examples > 0) facts.score = rounds.back().federated;
    return text("model-card.md", model_card(facts));
}

Status write_report_files(const std::string& folder, const Report& report, Environment& environment) {
    const auto text = [&](const char* name, const std::string& content) {
        return environment.write_file(folder + "/" + name, as_bytes(std::string_view(content)));
    };
    ENTENTE_TRY(text("metrics.csv", metrics_csv(report.runs)));
    ENTENTE_TRY(text("partners.csv", partners_csv(report.runs)));
    return text("report.html", html_report(report));
}

}  // namespace entente::commands
