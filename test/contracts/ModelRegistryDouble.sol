// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Model} from "../../contracts/IModelRegistry.sol";

/// @notice Stands in for the registry where all that matters of a model is its Rounds and its token.
contract ModelRegistryDouble {
    mapping(bytes32 modelId => Model) private _models;

    function set(bytes32 modelId, address rounds, address rewardToken) external {
        _models[modelId].rounds = rounds;
        _models[modelId].rewardToken = rewardToken;
    }

    function model(bytes32 modelId) external view returns (Model memory) {
        return _models[modelId];
    }
}
