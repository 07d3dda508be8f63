// SPDX-License-Identifier: Apache-2.0
// kafka-connect-client drives one worker; a line a call says what it made of the answer. Client URL CONFIG.properties
import java.io.FileInputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorStatus;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;

public class Client {
    static void call(String name, Callable<Object> what) {
        try {
            System.out.println(name + " " + what.call());
        } catch (Exception refused) {
            System.out.println(name + " " + refused.getClass().getSimpleName());
        }
    }

    static void reach(KafkaConnectClient client, String state) throws Exception {
        for (int i = 0; i < 300; i++) {
            try {
                ConnectorStatus status = client.getConnectorStatus("java");
                boolean all = status.getConnector().get("state").equals(state) && !status.getTasks().isEmpty();
                for (ConnectorStatus.TaskStatus task : status.getTasks()) {
                    all &= task.getState().equals(state);
                }
                if (all) {
                    return;
                }
            } catch (Exception notYet) {
                // the status comes a moment after the connector
            }
            Thread.sleep(100);
        }
        throw new IllegalStateException("never " + state);
    }

    public static void main(String[] arguments) throws Exception {
        KafkaConnectClient client = new KafkaConnectClient(new Configuration(arguments[0]));
        Properties file = new Properties();
        Map<String, String> config = new HashMap<>();
        file.load(new FileInputStream(arguments[1]));
        file.forEach((key, value) -> config.put((String) key, (String) value));
        Map<String, String> named = new HashMap<>(config);
        named.put("name", "java");
        call("version", () -> client.getConnectServerVersion().getVersion().substring(0, 3));
        call("plugins", () -> client.getConnectorPlugins().isEmpty());
        call("validate", () -> client.validateConnectorPluginConfig(ConnectorPluginConfigDefinition.newBuilder()
            .withName(config.get("connector.class")).withConfig(named).build()).getErrorCount());
        call("add", () -> client.addConnector(NewConnectorDefinition.newBuilder()
            .withName("java").withConfig(config).build()).getType());
        reach(client, "RUNNING");
        call("list", () -> client.getConnectors().contains("java"));
        call("expanded", () -> client.getConnectorsWithAllExpandedMetadata().getDefinitionForConnector("java").getName());
        call("get", () -> client.getConnector("java").getConfig().equals(named));
        call("config", () -> client.getConnectorConfig("java").equals(named));
        call("status", () -> client.getConnectorStatus("java").getTasks().size());
        call("tasks", () -> client.getConnectorTasks("java").size());
        call("task status", () -> client.getConnectorTaskStatus("java", 0).getState());
        call("topics", () -> client.getConnectorTopics("java").getName());
        call("reset topics", () -> client.resetConnectorTopics("java"));
        call("restart", () -> client.restartConnector("java"));
        call("restart task", () -> client.restartConnectorTask("java", 0));
        call("pause", () -> client.pauseConnector("java"));
        reach(client, "PAUSED");
        call("resume", () -> client.resumeConnector("java"));
        reach(client, "RUNNING");
        call("update", () -> client.updateConnectorConfig("java", named).getName());
        call("delete", () -> client.deleteConnector("java"));
        call("gone", () -> client.getConnector("java").getName());
    }
}
