"use client";
// A React component for each of Goldsmith's elements, for React 18 and later, on the server as in the browser. The
// elements come from your Goldsmith; these hand them attributes, and turn their events into functions.

import { createContext, createElement, forwardRef, useContext, useEffect, useImperativeHandle, useRef } from "react";
import { load } from "./elements.js";

const Address = createContext("");

/** Loads the elements, and keeps the page's token good: `getToken` asks your server for the next one. */
export function GoldsmithProvider({ address, getToken, onError = console.error, children }) {
  const asks = useLatest({ getToken, onError });
  useEffect(() => {
    let isGone = false;
    const give = async (take) => {
      try {
        const token = await asks.current.getToken();
        if (!isGone) take(token);
      } catch (error) {
        if (!isGone) asks.current.onError(error);
      }
    };
    const renew = (event) => give(event.detail.renew);
    document.addEventListener("goldsmith-token-expiring", renew);
    load(address).then(
      ({ setToken }) => give(setToken),
      (error) => isGone || asks.current.onError(error),
    );
    return () => {
      isGone = true;
      document.removeEventListener("goldsmith-token-expiring", renew);
    };
  }, [address, asks]);
  return createElement(Address.Provider, { value: address }, children);
}

export const DatasetExportCard = component("DatasetExportCard", "goldsmith-dataset-export", {
  onExported: "goldsmith-exported",
});
export const TrainingJobCard = component("TrainingJobCard", "goldsmith-training-job", {
  onTrainingStarted: "goldsmith-training-started",
});
export const ProgressMonitor = component("ProgressMonitor", "goldsmith-progress", {
  onTrainingChanged: "goldsmith-training-changed",
});
export const ModelDeployment = component("ModelDeployment", "goldsmith-deployment", {
  onDeployed: "goldsmith-deployed",
  onUndeployed: "goldsmith-undeployed",
});
export const ModelComparison = component("ModelComparison", "goldsmith-comparison", {
  onComparisonStarted: "goldsmith-comparison-started",
  onComparisonEnded: "goldsmith-comparison-ended",
});
export const ModelSelector = component("ModelSelector", "goldsmith-model-selector", {
  onModelSelected: "goldsmith-model-selected",
});

function component(name, tag, events) {
  const Made = forwardRef(function Part({ token, value, defaultValue, ...props }, ref) {
    const element = useRef(null);
    const handlers = useLatest(props);
    const provided = useContext(Address);
    useImperativeHandle(ref, () => element.current, []);
    useEffect(() => {
      if (props.address && !provided) load(props.address).catch(console.error);
    }, [props.address, provided]);
    // What may be secret, or may change, is a property: it never stands in the page's HTML.
    useEffect(() => {
      if (token !== undefined) element.current.token = token;
    }, [token]);
    useEffect(() => {
      if (defaultValue !== undefined) element.current.setAttribute("value", defaultValue);
    }, [defaultValue]);
    useEffect(() => {
      if (value !== undefined) element.current.value = value;
    }, [value]);
    useEffect(() => {
      const here = element.current;
      const told = Object.entries(events).map(([prop, event]) => [event, ({ detail }) => handlers.current[prop]?.(detail)]);
      for (const [event, tell] of told) here.addEventListener(event, tell);
      return () => told.forEach(([event, tell]) => here.removeEventListener(event, tell));
    }, [handlers]);
    return createElement(tag, { ref: element, ...attributesOf(props, events) });
  });
  Made.displayName = name;
  return Made;
}

/** As custom elements take them in every version of React: by their own names, and truth by being there. */
function attributesOf({ className, children: _, ...props }, events) {
  const own = Object.entries(props).filter(([name, value]) => !(name in events) && value !== false && value !== null);
  const found = Object.fromEntries(own.map(([name, value]) => [name, value === true ? "" : value]));
  if (className) found.class = className;
  return found;
}

/** What was handed over last, for functions that outlive a rendering. */
function useLatest(value) {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
